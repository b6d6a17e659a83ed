-- migrate:up

-- Reserves visits of links with max_visits for one API process: as many as requests wait, or as many as are left, and
-- besides them a sixteenth of what is left then, at most 256, so that the end of a limit is shared out one by one.
--
-- What was counted without being reserved (before the link had a limit, or by a process of an older release) is used up,
-- too. Links are locked in the order of their ids. Under the lock every statement sees what is committed by then.
CREATE FUNCTION reserve_visits(link_ids bigint[], waiting bigint[])
RETURNS TABLE (link_id bigint, places bigint, is_counted_up boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  request record;
  used bigint;
  counted bigint;
  allowed bigint;
  remaining bigint;
BEGIN
  FOR request IN
    SELECT asked.id, asked.waiting FROM unnest(link_ids, waiting) AS asked (id, waiting) ORDER BY asked.id
  LOOP
    INSERT INTO link_quotas (link_id, granted) VALUES (request.id, 0) ON CONFLICT DO NOTHING;
    SELECT quota.granted INTO used FROM link_quotas AS quota WHERE quota.link_id = request.id FOR UPDATE;
    SELECT link.max_visits, coalesce(total.visits, 0) INTO allowed, counted
      FROM links AS link LEFT JOIN link_totals AS total ON total.link_id = link.id
      WHERE link.id = request.id;
    link_id := request.id;
    -- The limit was removed.
    IF FOUND AND allowed IS NULL THEN
      places := request.waiting;
      is_counted_up := false;
    ELSE
      remaining := greatest(coalesce(allowed, 0) - greatest(used, counted), 0);
      places := least(remaining, request.waiting + least(256, greatest(remaining - request.waiting, 0) / 16));
      -- False: other processes may have places which they will return.
      is_counted_up := coalesce(counted >= allowed, true);
      IF places > 0 THEN
        UPDATE link_quotas AS quota SET granted = greatest(used, counted) + places WHERE quota.link_id = request.id;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- migrate:down

DROP FUNCTION reserve_visits(bigint[], bigint[]);
