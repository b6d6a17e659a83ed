-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- Links whose slug, target or title differs from their line in link_search_blocks. A queue like breakdown_deltas, and
-- vacuumed like it.
CREATE TABLE link_search_changed (
  link_id bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- migrate:down

DROP TABLE link_search_changed;
