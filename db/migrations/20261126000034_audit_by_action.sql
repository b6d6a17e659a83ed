-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_actions ON audit (action, id);

-- migrate:down

DROP INDEX audit_actions;
