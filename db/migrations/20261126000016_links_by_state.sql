-- migrate:up transaction:false

-- The few links that a list by state shows.
CREATE INDEX CONCURRENTLY IF NOT EXISTS links_closed ON links (id) WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL;

-- migrate:down

DROP INDEX links_closed;
