-- migrate:up

-- Fingerprints of the keys that encrypt jobs where PostgreSQL carries the queue: the current key, and those it replaced.
-- The keys themselves are in SPOOL_DIR. A process whose key is not the current one does not start.
CREATE TABLE queue_keys (
  fingerprint text PRIMARY KEY,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  replaced_at timestamptz(3)
);
CREATE UNIQUE INDEX queue_keys_only_one_current_idx ON queue_keys ((true)) WHERE replaced_at IS NULL;

-- migrate:down

DROP TABLE queue_keys;
