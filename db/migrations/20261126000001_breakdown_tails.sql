-- migrate:up

-- Values of a link's day that are not among the 400 listed in link_breakdowns: one row each, so that a value that
-- arrives slowly keeps its count however many others there are. A worker moves values between the two when it folds.
-- A key is as in `breakdowns`: the dimension's letter and the value. Kept as long as the day's raw visits.
CREATE TABLE breakdown_tails (
  link_id bigint NOT NULL,
  day date NOT NULL,
  key text COLLATE "C" NOT NULL,
  visits bigint NOT NULL,
  humans bigint NOT NULL,
  PRIMARY KEY (link_id, day, key)
);
CREATE INDEX breakdown_tails_day_idx ON breakdown_tails (day);

-- migrate:down

DROP TABLE breakdown_tails;
