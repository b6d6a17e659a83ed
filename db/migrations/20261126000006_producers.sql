-- migrate:up

-- One row per producer that redirects, or that left visits which are not counted: its last report.
CREATE TABLE producers (
  producer_id uuid PRIMARY KEY,
  host text NOT NULL,
  -- Producers with the same spool adopt each other's segments. NULL where the spool could not be marked.
  spool_id uuid,
  -- Every visit of this producer before this moment is counted.
  recorded_until timestamptz NOT NULL,
  pending bigint NOT NULL,
  -- The last batch number that it had used.
  last_seq bigint NOT NULL,
  reported_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- One row: every visit of every producer before as_of is counted. It never goes back.
CREATE TABLE freshness (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  as_of timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 20);
INSERT INTO freshness DEFAULT VALUES;

-- migrate:down

DROP TABLE freshness;
DROP TABLE producers;
