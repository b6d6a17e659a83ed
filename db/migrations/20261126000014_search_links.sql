-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- What a search for substrings looks at: slug, target and title of a link, a line each. Written by workers, some time
-- after the link was created: in the same INSERT, this index would make a link three to ten times as expensive.
CREATE TABLE link_search (
  link_id bigint PRIMARY KEY,
  text text NOT NULL
);
-- pg_trgm. Every search reads the list of pending entries from one end to the other.
CREATE INDEX link_search_text ON link_search USING gin (text gin_trgm_ops) WITH (gin_pending_list_limit = 1024);

-- One row. All links up to this id are in link_search.
CREATE TABLE link_search_progress (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  link_id bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO link_search_progress DEFAULT VALUES;

-- migrate:down

DROP TABLE link_search_progress;
DROP TABLE link_search;
