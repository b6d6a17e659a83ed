-- migrate:up

-- From which days (UTC) on things are kept whole; before them they may be gone, or may not yet. One row. Raised before
-- anything goes, so whoever holds aggregates against raw visits knows what can't be held against them.
CREATE TABLE retention (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Raw visits: RETENTION_DAYS.
  raw_visits_from date NOT NULL DEFAULT '-infinity',
  -- Quarter hours as rows of their own: FOLD_QUARTERS_AFTER_DAYS.
  quarters_from date NOT NULL DEFAULT '-infinity'
);
INSERT INTO retention DEFAULT VALUES;

-- migrate:down

DROP TABLE retention;
