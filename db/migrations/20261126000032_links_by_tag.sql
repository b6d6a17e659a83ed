-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS links_tags ON links USING gin (tag_keys) WHERE tag_keys <> '{}';

-- migrate:down

DROP INDEX links_tags;
