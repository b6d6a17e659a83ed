-- migrate:up

-- Part of PostgreSQL's contrib modules, and a trusted extension: an owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- migrate:down

DROP EXTENSION pg_trgm;
