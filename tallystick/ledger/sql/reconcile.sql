-- Reconciliation: passes and what they found, and the reads that compare.

-- ---- passes

-- A pass that comes round by itself: only where none of its kind is under way or began less than $7 ago.
-- name: schedule
INSERT INTO reconcile_run (connection, flow, depth, span_start, span_end, position, window_s)
SELECT $1, $2, $3, $4, $5, $4, $6::float8
WHERE NOT EXISTS (
    SELECT FROM reconcile_run r WHERE r.connection = $1 AND r.flow = $2 AND r.depth = $3
      AND (r.finished_at IS NULL OR r.started_at > clock_timestamp() - $7::interval))

-- name: ask
INSERT INTO reconcile_run (connection, flow, depth, span_start, span_end, position, window_s, request_id, actor)
VALUES ($1, $2, 'asked', $3, $4, $3, $5::float8, $6, $7)
ON CONFLICT (request_id) DO NOTHING

-- name: forget
DELETE FROM reconcile_run WHERE finished_at < clock_timestamp() - $1::interval

-- What a person waits for goes first, then recent passes, then whole ones; each is given back after a window.
-- name: claim
UPDATE reconcile_run r
SET due_at = clock_timestamp() + $1::interval, epoch = r.epoch + 1, attempts = r.attempts + 1
FROM (
    SELECT id FROM reconcile_run WHERE due_at <= clock_timestamp() AND connection = ANY ($2::text[])
    ORDER BY depth, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
) due
WHERE r.id = due.id
RETURNING r.id, r.epoch, r.connection, r.flow, r.span_end, r.position, r.window_s, r.attempts

-- A window is done with: $3 the new position, $4 the size of the next, $5 a problem or '', $6 the last, $7 a pause.
-- name: advance
UPDATE reconcile_run SET position = $3, window_s = $4::float8, attempts = 0,
    problem = coalesce(nullif($5::text, ''), problem), waits = '',
    due_at = CASE WHEN $6 THEN NULL ELSE clock_timestamp() + $7::interval END,
    finished_at = CASE WHEN $6 THEN clock_timestamp() END
WHERE id = $1 AND epoch = $2 AND finished_at IS NULL
RETURNING id

-- name: later
UPDATE reconcile_run SET due_at = clock_timestamp() + $3::interval, attempts = attempts - $4::integer, waits = $5
WHERE id = $1 AND epoch = $2 AND finished_at IS NULL

-- name: add_tallies
INSERT INTO reconcile_tally AS t (run_id, flow, what, number)
SELECT $1, i.flow, i.what, i.number FROM unnest($2::text[], $3::text[], $4::bigint[]) AS i (flow, what, number)
ORDER BY i.flow, i.what
ON CONFLICT (run_id, flow, what) DO UPDATE SET number = t.number + excluded.number

-- The first findings of a pass are kept in words, at most $7 of them; the tallies count all.
-- name: add_findings
INSERT INTO reconcile_finding (run_id, flow, what, name, target, detail)
SELECT $1, i.flow, i.what, i.name, i.target, i.detail
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
    AS i (flow, what, name, target, detail, ord)
WHERE i.ord <= $7 - (SELECT count(*) FROM reconcile_finding f WHERE f.run_id = $1)
ORDER BY i.ord

-- ---- looks

-- name: runs
SELECT * FROM reconcile_run
WHERE ($1 = '' OR connection = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3

-- name: run
SELECT * FROM reconcile_run WHERE id = $1

-- name: asked
SELECT * FROM reconcile_run WHERE request_id = ANY ($1::text[]) ORDER BY id

-- name: tallies
SELECT run_id, flow, what, number FROM reconcile_tally WHERE run_id = ANY ($1::bigint[]) ORDER BY run_id, flow, what

-- name: findings
SELECT flow, what, name, target, detail FROM reconcile_finding WHERE run_id = $1 ORDER BY id

-- For metrics: the newest finished pass of each connection and flow, with its tallies.
-- name: newest
SELECT r.connection, t.flow, t.what, t.number
FROM (
    SELECT DISTINCT ON (connection, flow) id, connection FROM reconcile_run
    WHERE finished_at IS NOT NULL ORDER BY connection, flow, finished_at DESC
) r
JOIN reconcile_tally t ON t.run_id = r.id

-- The last time a pass was made without a problem.
-- name: last_success
SELECT connection, flow, extract(epoch FROM max(finished_at))::float8 AS at
FROM reconcile_run WHERE finished_at IS NOT NULL AND problem = '' GROUP BY connection, flow

-- ---- what the ledger holds

-- Objects by id; of orders also the parts that came with them.
-- name: known
SELECT o.type, o.id, o.parent, o.content_hash, o.gone FROM source_object o
WHERE o.connection = $1 AND o.type = $2 AND o.id = ANY ($3::text[])
UNION ALL
SELECT o.type, o.id, o.parent, o.content_hash, o.gone FROM source_object o
WHERE o.connection = $1 AND o.parent = ANY ($3::text[]) AND o.parent <> ''

-- Objects that were there at our last look and changed last within [$3, $4). What was never placed is nobody's loss.
-- name: expected
SELECT o.id FROM source_object o
WHERE o.connection = $1 AND o.type = $2 AND o.source_modified >= $3 AND o.source_modified < $4
  AND NOT o.gone AND o.not_eligible IS DISTINCT FROM 'DRAFT'

-- The content under which these entities were last put in a lane.
-- name: last_bodies
SELECT DISTINCT ON (e.entity_id) e.entity_id, p.body FROM effect e
JOIN payload p ON p.target = e.target AND p.lane_key = e.lane_key AND p.seq = e.seq
WHERE e.lane_key = ANY ($1::text[]) AND e.entity_id = ANY ($2::text[])
ORDER BY e.entity_id, e.seq DESC

-- Documents of lanes in which nothing is under way, with the content that they were last made of. One that a person
-- made is left to that person, and so is one that was given up after it was found deleted.
-- name: documents
SELECT DISTINCT ON (e.lane_key, e.entity_type, e.entity_id)
    e.lane_key, l.connection, e.seq, e.entity_type, e.entity_id, e.operation, e.op_id, e.kind, e.revision,
    e.external_ref, e.received_at, p.body, b.external_id, b.applied_revision, b.applied_mark, b.contract_version,
    b.lines, parent.applied_revision AS parent_revision,
    CASE WHEN NOT parent.tombstone THEN parent.external_id END AS parent_external_id
FROM effect e
JOIN lane l ON l.target = e.target AND l.lane_key = e.lane_key
JOIN binding b ON b.target = e.target AND b.entity_type = e.entity_type AND b.entity_id = e.entity_id
JOIN payload p ON p.target = e.target AND p.lane_key = e.lane_key AND p.seq = e.seq
LEFT JOIN binding parent ON parent.target = e.target AND parent.entity_type = 'order' AND parent.entity_id = e.lane_key
WHERE e.target = $1 AND e.lane_key = ANY ($2::text[]) AND e.entity_type = ANY ($3::text[])
  AND e.state IN ('APPLIED', 'VERIFIED') AND e.revision = b.applied_revision AND e.operation <> 'withdraw'
  AND b.applied_mark IS NOT NULL AND NOT b.tombstone AND NOT b.adopted
  AND NOT EXISTS (SELECT FROM effect u WHERE u.target = e.target AND u.lane_key = e.lane_key AND u.unfinished)
  AND NOT EXISTS (SELECT FROM effect s WHERE s.target = e.target AND s.lane_key = e.lane_key
      AND s.entity_type = e.entity_type AND s.entity_id = e.entity_id AND s.forced AND s.state = 'SKIPPED')
ORDER BY e.lane_key, e.entity_type, e.entity_id, e.seq DESC

-- name: bound
SELECT entity_type, entity_id, external_id, number FROM binding
WHERE target = $1 AND entity_id = ANY ($2::text[]) AND NOT tombstone

-- Answers those that nobody had seen before.
-- name: add_duplicates
INSERT INTO duplicate_document (target, entity_type, external_ref, external_id, number)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT DO NOTHING
RETURNING external_id
