-- The watch over webhooks.

-- Of several processes that see it at once, the first mends: the others come within ten seconds of it.
-- name: lost
INSERT INTO webhook_watch AS w (connection, active_at, hole, times, opened_at, lost_at)
VALUES ($1, $2, true, 1, $2, clock_timestamp())
ON CONFLICT (connection) DO UPDATE SET
    hole = true,
    times = CASE WHEN w.hole THEN w.times
        WHEN w.lost_at > clock_timestamp() - interval '1 day' THEN w.times + 1 ELSE 1 END,
    opened_at = CASE WHEN w.hole THEN w.opened_at ELSE excluded.opened_at END,
    lost_at = clock_timestamp()
WHERE NOT w.hole OR w.lost_at < clock_timestamp() - interval '10 seconds'
RETURNING w.times, w.opened_at = $2 AS opened

-- name: hole
SELECT active_at FROM webhook_watch WHERE connection = $1 AND hole

-- name: well
INSERT INTO webhook_watch AS w (connection, active_at) VALUES ($1, $2)
ON CONFLICT (connection) DO UPDATE SET active_at = greatest(w.active_at, excluded.active_at), hole = false
