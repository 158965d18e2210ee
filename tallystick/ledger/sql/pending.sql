-- Deliveries that are not canonical yet. A row leaves only when its delivery was dealt with.

-- name: insert
INSERT INTO pending_delivery (connection, object_key, raw, headers, reason, detail, received_at, due_at)
SELECT connection, object_key, raw, headers::jsonb, reason, detail, received_at,
       clock_timestamp() + due_in
FROM unnest(
    $1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::interval[]
) AS i (connection, object_key, raw, headers, reason, detail, received_at, due_in)

-- Take due rows of one connection: they are due again after the lease, should their taker die.
-- name: claim
UPDATE pending_delivery p SET due_at = clock_timestamp() + $3::interval, attempts = p.attempts + 1
FROM (
    SELECT id FROM pending_delivery
    WHERE connection = $1 AND due_at <= clock_timestamp()
    ORDER BY due_at, id LIMIT $2
    FOR UPDATE SKIP LOCKED
) due
WHERE p.id = due.id
RETURNING p.id, p.object_key, p.raw, p.headers::text AS headers, p.reason, p.attempts, p.received_at

-- name: done
DELETE FROM pending_delivery WHERE id = ANY ($1::bigint[])

-- name: later
UPDATE pending_delivery p SET reason = i.reason, detail = i.detail, due_at = clock_timestamp() + i.due_in
FROM (
    SELECT p.id, u.reason, u.detail, u.due_in
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::interval[]) AS u (id, reason, detail, due_in)
    JOIN pending_delivery p USING (id)
    ORDER BY p.id
    FOR UPDATE OF p
) i
WHERE p.id = i.id

-- How much waits, and the longest wait, for each connection and reason.
-- name: waiting
SELECT connection, reason, count(*) AS number,
       extract(epoch FROM clock_timestamp() - min(received_at))::double precision AS oldest_s
FROM pending_delivery GROUP BY connection, reason
