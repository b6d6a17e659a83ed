-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- The tags as they are compared, in their order: in lower case, folded by the API, because the database's own folding
-- depends on its locale.
ALTER TABLE links ADD COLUMN tag_keys text[] NOT NULL DEFAULT '{}';

-- migrate:down

ALTER TABLE links DROP COLUMN tag_keys;
