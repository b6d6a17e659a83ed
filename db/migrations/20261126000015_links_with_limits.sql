-- migrate:up transaction:false

-- A list of the links that are scheduled, expired or exhausted looks at these only.
CREATE INDEX CONCURRENTLY IF NOT EXISTS links_limited ON links (id)
  WHERE valid_from IS NOT NULL OR expires_at IS NOT NULL OR max_visits IS NOT NULL;

-- migrate:down

DROP INDEX links_limited;
