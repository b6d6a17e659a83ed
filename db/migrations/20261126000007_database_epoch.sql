-- migrate:up

-- Which history the rows of this database belong to. A failover to an asynchronous standby, a point-in-time restore or a
-- restored dump takes back what was committed, and hands out numbers again that were in use. PostgreSQL's identity then
-- differs from the one noted here, and whoever notices first begins a new epoch (apps/shared/database/database-epoch.ts).
CREATE TABLE database_epoch (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch uuid NOT NULL DEFAULT gen_random_uuid(),
  identity text NOT NULL,
  began_at timestamptz NOT NULL DEFAULT now()
);

-- System identifier, database and timeline. NULL on a standby, which has no timeline of its own yet. A function that a
-- managed service withholds counts as unknown: what the others tell must still be noticed.
CREATE FUNCTION database_identity() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  system text := '?';
  timeline text := '?';
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN NULL;
  END IF;
  BEGIN
    system := (SELECT system_identifier FROM pg_control_system());
    timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
  EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function THEN
    NULL;
  END;
  RETURN system || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || timeline;
END $$;

-- NULL: the epoch that is noted is over, and no new one has begun; or this is a standby.
CREATE FUNCTION current_epoch() RETURNS uuid LANGUAGE sql VOLATILE AS
  'SELECT epoch FROM database_epoch WHERE identity = (SELECT database_identity())';

INSERT INTO database_epoch (identity) VALUES (database_identity());

-- migrate:down

DROP FUNCTION current_epoch();
DROP FUNCTION database_identity();
DROP TABLE database_epoch;
