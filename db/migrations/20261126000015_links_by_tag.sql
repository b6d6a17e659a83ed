-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS links_tags ON links USING gin (tags) WHERE tags <> '{}';

-- migrate:down

DROP INDEX links_tags;
