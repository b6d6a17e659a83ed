-- migrate:up

SET LOCAL lock_timeout = '800ms';

-- By default a table is vacuumed when a fifth of its rows are dead: of a billion, 200 million. Counters are vacuumed at
-- a fiftieth. They are not analyzed more often: their distribution hardly changes, and ANALYZE holds a snapshot.
ALTER TABLE link_totals SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE link_days SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE link_quarters SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE link_breakdowns SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE breakdown_tails SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE gone_requests SET (autovacuum_vacuum_scale_factor = 0.02);

-- Queues: all their rows soon are dead, whatever their number. Vacuumed every time autovacuum looks; with PostgreSQL's
-- pauses, because without them it takes the processor from redirects.
ALTER TABLE breakdown_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE ledger SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- migrate:down

ALTER TABLE ledger RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE breakdown_deltas RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE gone_requests RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE breakdown_tails RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE link_breakdowns RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE link_quarters RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE link_days RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE link_totals RESET (autovacuum_vacuum_scale_factor);
