-- migrate:up

-- Batches that can't be recorded (unreadable, or refused by PostgreSQL for their data) and wait for an operator. The
-- ledger's watermark passes them. A row disappears in the transaction that records its batch after all, or voids it; as
-- long as it is here the batch is not recorded, whatever the watermark says.
CREATE TABLE set_aside_batches (
  producer_id uuid NOT NULL,
  seq bigint NOT NULL,
  set_aside_at timestamptz(3) NOT NULL DEFAULT now(),
  reason text NOT NULL,
  -- Unknown if the batch can't be read.
  visits integer,
  PRIMARY KEY (producer_id, seq)
);

-- migrate:down

DROP TABLE set_aside_batches;
