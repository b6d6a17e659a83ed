-- migrate:up

-- Requests for links that had expired, which are no visits.
CREATE TABLE gone_requests (
  link_id bigint NOT NULL,
  day date NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (link_id, day)
) WITH (fillfactor = 60);

-- migrate:down

DROP TABLE gone_requests;
