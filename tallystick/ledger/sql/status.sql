-- The whole installation at a glance.

-- name: lanes
SELECT target,
    CASE WHEN held_seq IS NOT NULL THEN 'HELD' WHEN reason IS NOT NULL THEN 'WAITING' ELSE 'UNFINISHED' END AS state,
    coalesce(reason, '') AS reason, count(*) AS number, min(coalesce(since, due_at)) AS oldest_since
FROM lane WHERE reason IS NOT NULL OR due_at IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: circuits
SELECT target, open_until, failures, reason, detail FROM circuit

-- name: pauses
SELECT connection, target, reason, paused_until FROM pause WHERE paused_until > clock_timestamp()
ORDER BY connection, target, reason

-- name: pending
SELECT connection, reason, count(*) AS number, min(received_at) AS oldest_at FROM pending_delivery
GROUP BY connection, reason ORDER BY connection, reason

-- name: not_eligible
SELECT connection, not_eligible AS reason, count(*) AS number FROM source_object
WHERE not_eligible IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2

-- name: polled
SELECT connection, max(cursor_at) AS cursor_at, max(polled_at) AS polled_at FROM poll_cursor
WHERE flow = $1 GROUP BY connection

-- name: servers
SELECT current_setting('server_version') AS version, clock_timestamp() AS at
