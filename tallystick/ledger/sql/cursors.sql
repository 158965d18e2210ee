-- Where pollers stand, in source time.

-- name: load
SELECT cursor_at FROM poll_cursor WHERE connection = $1 AND flow = $2

-- A cursor never goes back by itself; two pollers of one connection may run side by side.
-- name: advance
INSERT INTO poll_cursor (connection, flow, cursor_at) VALUES ($1, $2, $3)
ON CONFLICT (connection, flow) DO UPDATE SET
    cursor_at = greatest(poll_cursor.cursor_at, excluded.cursor_at), polled_at = clock_timestamp()

-- name: rewind
UPDATE poll_cursor SET cursor_at = least(cursor_at, $2) WHERE connection = $1

-- One turn for all pollers of a connection: the cursor for the one whose turn it is, nothing for the others.
-- name: take_turn
INSERT INTO poll_cursor AS c (connection, flow, cursor_at) VALUES ($1, $2, $3)
ON CONFLICT (connection, flow) DO UPDATE SET polled_at = clock_timestamp()
WHERE c.polled_at <= clock_timestamp() - $4::interval
RETURNING cursor_at
