-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- What people know and decide about a link. Existing rows keep their bytes: defaults are constants.
ALTER TABLE links
  ADD COLUMN title text,
  ADD COLUMN note text,
  ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
  ADD COLUMN valid_from timestamptz(3),
  ADD COLUMN expired_url text,
  ADD COLUMN max_visits bigint,
  ADD COLUMN forward_query boolean NOT NULL DEFAULT false,
  ADD COLUMN disabled_at timestamptz(3),
  -- The row stays, so that nobody else gets the slug, and its visits keep their meaning.
  ADD COLUMN deleted_at timestamptz(3),
  -- NULL: since it was created.
  ADD COLUMN updated_at timestamptz(3),
  -- Raised by every change; the link's ETag.
  ADD COLUMN version bigint NOT NULL DEFAULT 1,
  -- The key that created it; NULL: without one.
  ADD COLUMN created_by bigint;

-- How many visits of a link with max_visits were allowed so far. API processes reserve some ahead, and give back the rest.
CREATE TABLE link_quotas (
  link_id bigint PRIMARY KEY,
  granted bigint NOT NULL
) WITH (fillfactor = 50);

-- One row. The name of the links' cache in Redis has this number: raised when a change could not reach that Redis, so
-- that nobody reads what it still holds.
CREATE TABLE link_cache (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO link_cache DEFAULT VALUES;

-- Who changed what. Links that were created without a key and without /api/links are not in it: their row says when.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz(3) NOT NULL DEFAULT now(),
  -- NULL: no key (open access, or a command on the server).
  key_id bigint,
  -- 'api', 'page' or 'command'
  via text NOT NULL,
  -- 'link.created', 'link.changed', 'link.deleted', 'key.created', 'key.revoked', 'domain.blocked', …
  action text NOT NULL,
  -- NULL: not about a link.
  link_id bigint,
  -- The slug, the name of the key, or the domain.
  subject text NOT NULL,
  -- {"field": [before, after]}
  changes jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_links ON audit (link_id, id) WHERE link_id IS NOT NULL;

-- migrate:down

DROP TABLE audit;
DROP TABLE link_cache;
DROP TABLE link_quotas;
ALTER TABLE links
  DROP COLUMN title,
  DROP COLUMN note,
  DROP COLUMN tags,
  DROP COLUMN valid_from,
  DROP COLUMN expired_url,
  DROP COLUMN max_visits,
  DROP COLUMN forward_query,
  DROP COLUMN disabled_at,
  DROP COLUMN deleted_at,
  DROP COLUMN updated_at,
  DROP COLUMN version,
  DROP COLUMN created_by;
