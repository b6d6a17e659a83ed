-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- What a search looks at: slug, target and title of 32 links with consecutive ids (block n: from 32 n on), a line per
-- link, in lower case. Written by workers, some time after the links were created: in the same INSERT, the index would
-- make a link several times as expensive. link_search stays for processes of the previous release; a later one drops it.
CREATE TABLE link_search_blocks (
  block bigint PRIMARY KEY,
  ids bigint[] NOT NULL,
  text text COLLATE "C" NOT NULL,
  -- Hashes of all sequences of one, two and three characters in the text.
  grams smallint[] NOT NULL
);
-- A search reads the texts of many blocks, and the hashes of none.
ALTER TABLE link_search_blocks ALTER text SET STORAGE PLAIN, ALTER grams SET STORAGE EXTERNAL;
-- Statistics of a thousand elements per row take long, and are of no use.
ALTER TABLE link_search_blocks ALTER grams SET STATISTICS 0, ALTER ids SET STATISTICS 0;
-- Every search reads the list of pending entries from one end to the other.
CREATE INDEX link_search_grams ON link_search_blocks USING gin (grams) WITH (gin_pending_list_limit = 1024);

-- One row. All blocks below this one are written; so many links are in them.
CREATE TABLE link_search_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  block bigint NOT NULL DEFAULT 0,
  links bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO link_search_state DEFAULT VALUES;

-- migrate:down

DROP TABLE link_search_state;
DROP TABLE link_search_blocks;
