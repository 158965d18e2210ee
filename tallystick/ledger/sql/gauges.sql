-- What stands in the ledger at one moment, for gauges. Each statement reads through an index of what is unfinished
-- or held, so its cost is that of the work in hand, not of the history.

-- Lanes with a reason. A held one has no due time and counts from when it was held; a waiting one is tried again and
-- again, so it counts from when its oldest unfinished effect was written down.
-- name: lanes
SELECT l.target, l.reason, l.due_at IS NULL AS held, count(*) AS lanes,
    extract(epoch FROM clock_timestamp() - min(CASE WHEN l.due_at IS NULL THEN l.since ELSE e.recorded_at END))::float8
        AS oldest_s
FROM lane l
LEFT JOIN LATERAL (
    SELECT min(e.recorded_at) AS recorded_at FROM effect e
    WHERE l.due_at IS NOT NULL AND e.target = l.target AND e.lane_key = l.lane_key
      AND e.unfinished) e ON true
WHERE l.reason IS NOT NULL
GROUP BY l.target, l.reason, held

-- Effects that have not ended. In doubt counts from the first request, since each try makes a new doubt.
-- name: unfinished
SELECT target, entity_type, state, count(*) AS effects,
    extract(epoch FROM clock_timestamp() - min(received_at))::float8 AS oldest_s,
    extract(epoch FROM clock_timestamp() - min(coalesce(claimed_at, recorded_at)))::float8 AS claimed_s
FROM effect
WHERE unfinished
GROUP BY target, entity_type, state

-- Mark the effects whose time is over, and count those that this statement marked. $1 is the time they have, $2 how
-- many lanes at once. Lanes in somebody's hands are left out: their holder judges them when he settles; and those that
-- yield: a backfill was promised no time.
-- name: overdue
WITH late AS (
    SELECT l.target, l.lane_key FROM lane l
    WHERE (l.lease_until IS NULL OR l.lease_until < clock_timestamp()) AND NOT l.yields
      AND (l.target, l.lane_key) IN (
        SELECT e.target, e.lane_key FROM effect e
        WHERE e.unfinished AND NOT e.overdue
          AND e.received_at < clock_timestamp() - $1::interval)
    ORDER BY l.target, l.lane_key
    LIMIT $2
    FOR UPDATE OF l SKIP LOCKED
), marked AS (
    UPDATE effect e SET overdue = true
    FROM late l
    WHERE e.target = l.target AND e.lane_key = l.lane_key
      AND e.unfinished AND NOT e.overdue
      AND e.received_at < clock_timestamp() - $1::interval
    RETURNING e.target, e.entity_type
)
SELECT target, entity_type, count(*) AS effects FROM marked GROUP BY target, entity_type
