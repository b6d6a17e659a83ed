-- migrate:up transaction:false

-- Substring search without regard to case (pg_trgm).
CREATE INDEX CONCURRENTLY IF NOT EXISTS links_search ON links USING gin (slug gin_trgm_ops, long_url gin_trgm_ops, title gin_trgm_ops);

-- migrate:down

DROP INDEX links_search;
