-- What people do about lanes that have stopped. Each act is one transaction: lane, effect, binding, audit.

-- The lane, held until the end of the transaction, with what it is held for.
-- name: lock_lane
SELECT connection, reason, detail, since, held_seq, due_at, coalesce(lease_until > clock_timestamp(), false) AS in_hand
FROM lane WHERE target = $1 AND lane_key = $2 FOR UPDATE

-- name: lock_effect
SELECT seq, entity_type, entity_id, kind, revision, state, step, error FROM effect
WHERE target = $1 AND lane_key = $2 AND seq = $3 FOR UPDATE

-- The act that this request was already.
-- name: told
SELECT what, seq, reason FROM event WHERE target = $1 AND lane_key = $2 AND request_id = $3 LIMIT 1

-- Begin anew under the contract of today: what was surely not applied is compared in full before anything is written.
-- What is in doubt stays in doubt and is probed first. A customer is only made if it is absent, never compared: an
-- order's snapshot must not overwrite it.
-- name: resume
UPDATE effect SET attempts = 0,
    forced = forced OR (kind = 'STATE' AND state = 'QUEUED' AND operation <> 'ensure'),
    step = CASE WHEN kind = 'STATE' AND state = 'QUEUED' AND operation <> 'ensure' THEN 0 ELSE step END
WHERE target = $1 AND lane_key = $2 AND seq = $3

-- A terminal state by a person. `doubt_at` stays, and so does the lane's `late_until`: a lost request may still land.
-- name: settle
UPDATE effect SET state = $4, settled_at = clock_timestamp() WHERE target = $1 AND lane_key = $2 AND seq = $3

-- Another entity that this document belongs to already.
-- name: bound_to
SELECT entity_id FROM binding
WHERE target = $1 AND entity_type = $2 AND external_id = $3 AND entity_id <> $4 AND NOT tombstone LIMIT 1

-- name: bind
INSERT INTO binding (target, entity_type, entity_id, external_id, number, applied_revision, applied_at)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
ON CONFLICT (target, entity_type, entity_id) DO UPDATE SET
    external_id = excluded.external_id,
    number = CASE WHEN excluded.number = '' THEN binding.number ELSE excluded.number END,
    applied_revision = excluded.applied_revision, applied_mark = NULL, tombstone = false,
    applied_at = excluded.applied_at

-- The lane is not held any more; due at once where something is left to do. Its epoch moves on, so that nothing that
-- was read before the act is written after it.
-- name: free
UPDATE lane l SET reason = NULL, detail = NULL, since = NULL, held_seq = NULL, epoch = l.epoch + 1,
    owner = NULL, lease_until = NULL, yields = false,
    due_at = CASE WHEN EXISTS (
        SELECT FROM effect e WHERE e.target = l.target AND e.lane_key = l.lane_key
          AND e.unfinished) THEN clock_timestamp() END
WHERE l.target = $1 AND l.lane_key = $2

-- name: tell
INSERT INTO event (target, lane_key, seq, entity_type, entity_id, revision, what, reason, detail, actor, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- ---- a forced resync, for many lanes at once -----------------------------------------------------------------------

-- The audit of a resync, once for each lane. $2 lanes, $3 revisions.
-- name: tell_forced
INSERT INTO event (target, lane_key, entity_type, entity_id, revision, what, detail, actor, request_id)
SELECT $1, i.lane_key, 'order', i.lane_key, i.revision, 'resync requested', nullif($4::text, ''), $5, $6
FROM unnest($2::text[], $3::bigint[]) AS i (lane_key, revision)
WHERE NOT EXISTS (
    SELECT FROM event v WHERE v.target = $1 AND v.lane_key = i.lane_key AND v.request_id = $6)
ORDER BY i.lane_key

-- What is queued at the same revision gives way to the resync ($3 is its op_id); what may be under way never does.
-- name: give_way
UPDATE effect e SET state = 'SUPERSEDED', settled_at = clock_timestamp()
FROM effect f
WHERE f.target = $1 AND f.lane_key = ANY ($2::text[]) AND f.op_id = $3 AND f.state = 'QUEUED'
  AND e.target = f.target AND e.lane_key = f.lane_key AND e.entity_type = f.entity_type AND e.entity_id = f.entity_id
  AND e.kind = 'STATE' AND e.state = 'QUEUED' AND e.revision = f.revision AND e.seq < f.seq

-- Lanes that are held for something else (in doubt, or a refund) try that again first.
-- name: resume_held
WITH tried AS (
    UPDATE effect e SET attempts = 0 FROM lane l
    WHERE l.target = $1 AND l.lane_key = ANY ($2::text[]) AND e.target = l.target AND e.lane_key = l.lane_key
      AND e.seq = l.held_seq AND e.state IN ('QUEUED', 'IN_DOUBT')
)
UPDATE lane l SET reason = NULL, detail = NULL, since = NULL, held_seq = NULL, epoch = l.epoch + 1,
    due_at = clock_timestamp(), yields = false
WHERE l.target = $1 AND l.lane_key = ANY ($2) AND l.held_seq IS NOT NULL
