-- migrate:up transaction:false

-- To count the links that are not deleted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS links_deleted ON links (id) WHERE deleted_at IS NOT NULL;

-- migrate:down

DROP INDEX links_deleted;
