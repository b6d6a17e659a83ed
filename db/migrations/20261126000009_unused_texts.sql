-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- A day on which a worker remembered the text; it remembers it for a day at most. A text that no kept visit can refer to
-- is deleted (apps/worker/maintenance/retention/retire-texts.ts). No later than the last use, give or take two days.
ALTER TABLE texts ADD COLUMN used_on date NOT NULL DEFAULT CURRENT_DATE;

-- migrate:down

ALTER TABLE texts DROP COLUMN used_on;
