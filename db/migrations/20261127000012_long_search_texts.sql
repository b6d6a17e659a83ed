-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- The longest targets of 32 links don't fit on a page. Shorter texts stay in their rows as they are, and the grams are
-- moved out of them.
ALTER TABLE link_search_blocks ALTER text SET STORAGE MAIN;
ALTER TABLE link_search_blocks SET (toast_tuple_target = 4080);

-- migrate:down

ALTER TABLE link_search_blocks RESET (toast_tuple_target);
ALTER TABLE link_search_blocks ALTER text SET STORAGE PLAIN;
