-- migrate:up

-- Visits whose own time can't be right: counted at the nearest time that can (apps/worker/recording/describe/bound-times.ts).
SET LOCAL lock_timeout = '800ms';
ALTER TABLE link_totals ADD COLUMN misdated bigint NOT NULL DEFAULT 0;

-- migrate:down

ALTER TABLE link_totals DROP COLUMN misdated;
