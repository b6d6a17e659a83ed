-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_keys ON audit (key_id, id) WHERE key_id IS NOT NULL;

-- migrate:down

DROP INDEX audit_keys;
