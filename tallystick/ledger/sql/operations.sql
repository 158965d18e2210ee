-- Long-running operations. Whoever takes one has it for a lease; what was done with an old epoch changes nothing.

-- name: create
INSERT INTO operation (id, request_id, what, arguments, actor, note, total)
VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7)
ON CONFLICT (request_id) DO NOTHING

-- name: by_request
SELECT *, arguments::text AS asked FROM operation WHERE request_id = $1

-- name: get
SELECT *, arguments::text AS asked FROM operation WHERE id = $1

-- The one of its kind ($2) that waits longest, so that a long one does not hold up a short one: each is given back
-- after a part. $3 is its store; empty for any.
-- name: claim
UPDATE operation o SET due_at = clock_timestamp() + $1::interval, epoch = o.epoch + 1, attempts = o.attempts + 1
FROM (
    SELECT id FROM operation
    WHERE due_at <= clock_timestamp() AND what = $2 AND $3 IN ('', arguments ->> 'connection')
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
) due
WHERE o.id = due.id
RETURNING o.*, o.arguments::text AS asked

-- A part is done with: $3 the new position, $4 done and $5 failed among it, $6 problems, $7 whether it was the last.
-- name: advance
UPDATE operation SET position = $3, done = done + $4, failed = failed + $5, attempts = 0,
    problems = (problems || $6::text[])[1:20],
    due_at = CASE WHEN $7 THEN NULL ELSE clock_timestamp() END,
    finished_at = CASE WHEN $7 THEN clock_timestamp() END
WHERE id = $1 AND epoch = $2 AND finished_at IS NULL

-- Nothing was done: try the same part again in a while.
-- name: later
UPDATE operation SET due_at = clock_timestamp() + $3::interval, attempts = attempts - $4::integer
WHERE id = $1 AND epoch = $2 AND finished_at IS NULL

-- Still at it: the lease begins anew, and $4 is what may be unfinished. No row: cancelled, or in other hands.
-- name: hold
UPDATE operation SET due_at = clock_timestamp() + $3::interval, in_hand = $4::text[]
WHERE id = $1 AND epoch = $2 AND finished_at IS NULL
RETURNING id

-- How many orders there will be, as far as the store tells.
-- name: expect
UPDATE operation SET total = $3 WHERE id = $1 AND epoch = $2 AND finished_at IS NULL

-- Of the orders $2 of the store $1 (their keys $3) those that a backfill still has to wait for: those that will be read
-- again by the relay, and those that are published and that one of the targets $4 has not recorded, or not finished. A
-- held lane is finished for this purpose: it waits for a person.
-- name: outstanding
SELECT i.id
FROM unnest($2::text[], $3::text[]) AS i (id, lane_key)
WHERE EXISTS (
    SELECT FROM pending_delivery p
    WHERE p.connection = $1 AND p.object_key = i.lane_key AND p.reason = 'READ_LATER')
OR EXISTS (
    SELECT FROM source_object o CROSS JOIN unnest($4::text[]) AS t (target)
    WHERE o.connection = $1 AND o.type = 'order' AND o.id = i.id
      AND o.published_revision > 0 AND o.not_eligible IS NULL
      AND (NOT EXISTS (
            SELECT FROM effect e
            WHERE e.target = t.target AND e.lane_key = i.lane_key AND e.entity_type = 'order' AND e.kind = 'STATE'
              AND e.revision >= o.published_revision)
        OR EXISTS (
            SELECT FROM lane l
            WHERE l.target = t.target AND l.lane_key = i.lane_key AND l.due_at IS NOT NULL)))

-- Newest first, after (created_at, id) of the cursor; $1 false for all, true for those that are not finished.
-- name: page
SELECT *, arguments::text AS asked FROM operation
WHERE (NOT $1 OR finished_at IS NULL) AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
ORDER BY created_at DESC, id DESC LIMIT $4

-- name: cancel
UPDATE operation SET cancelled = true, due_at = NULL, finished_at = clock_timestamp(), epoch = epoch + 1
WHERE id = $1 AND finished_at IS NULL
RETURNING id

-- name: tell
INSERT INTO event (target, lane_key, entity_type, entity_id, what, detail, actor, request_id)
VALUES ('', 'operation/' || $1, 'operation', $1, $2, nullif($3::text, ''), $4, $5)

-- Orders of one store that changed in a span, after the position, at most $5.
-- name: window
SELECT id FROM source_object
WHERE connection = $1 AND type = 'order' AND changed_at >= $2 AND (first_seen_at <= $3 OR $3::timestamptz IS NULL)
  AND id > $4
ORDER BY id LIMIT $5

-- name: window_size
SELECT count(*) AS orders FROM source_object
WHERE connection = $1 AND type = 'order' AND changed_at >= $2
  AND (first_seen_at <= $3 OR $3::timestamptz IS NULL)

-- The revisions of orders as they are stored, with their content's hash.
-- name: revisions
SELECT o.connection, o.id, o.revision, o.content_hash
FROM unnest($1::text[], $2::text[]) AS i (connection, id)
JOIN source_object o ON o.connection = i.connection AND o.type = 'order' AND o.id = i.id
