-- Lanes and effects. Every transaction here takes the lanes first, in key order (`lock_lanes`), and then works in
-- new statements: under READ COMMITTED one statement for all of it reads rows older than the locks it waited for.
-- What is joined by key carries the target in its MATERIALIZED input: before a table has statistics, a constant target
-- looks so selective that every row of the target would be tried for every row of the input.

-- Make the lanes that are not there yet. $2 keys in order, $3 their connections.
-- name: insert_lanes
INSERT INTO lane (target, lane_key, connection)
SELECT $1, i.lane_key, i.connection
FROM unnest($2::text[], $3::text[]) AS i (lane_key, connection)
ORDER BY i.lane_key
ON CONFLICT DO NOTHING

-- Hold the lanes until the end of the transaction, in key order, so that no two transactions deadlock.
-- name: lock_lanes
SELECT lane_key FROM lane
WHERE target = $1 AND lane_key = ANY ($2::text[])
ORDER BY lane_key FOR UPDATE

-- Append the effects that are not there yet, at the next places of their lanes, with their payloads.
-- Answers (ord, seq) of those that are new.
-- name: insert_effects
WITH input AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest(
        $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::boolean[],
        $10::text[], $11::timestamptz[], $12::text[], $13::integer[], $14::bigint[], $15::bytea[], $16::boolean[]
    ) WITH ORDINALITY AS i (
        lane_key, entity_type, entity_id, operation, op_id, kind, revision, forced,
        external_ref, received_at, source_topic, source_partition, source_offset, body, yields, ord)
), fresh AS (
    SELECT i.*, l.next_seq + row_number() OVER (PARTITION BY i.lane_key ORDER BY i.ord) - 1 AS seq
    FROM input i
    JOIN lane l ON l.target = i.target AND l.lane_key = i.lane_key
    WHERE NOT EXISTS (
        SELECT FROM effect e
        WHERE e.target = i.target AND e.lane_key = i.lane_key AND e.entity_type = i.entity_type
          AND e.entity_id = i.entity_id AND e.operation = i.operation AND e.op_id = i.op_id)
), effects AS (
    INSERT INTO effect (
        target, lane_key, seq, entity_type, entity_id, operation, op_id, kind, revision, forced, state,
        external_ref, received_at, source_topic, source_partition, source_offset)
    SELECT target, lane_key, seq, entity_type, entity_id, operation, op_id, kind, revision, forced, 'QUEUED',
        external_ref, received_at, source_topic, source_partition, source_offset
    FROM fresh
), payloads AS (
    INSERT INTO payload (target, lane_key, seq, body) SELECT target, lane_key, seq, body FROM fresh
), lanes AS (
    -- A lane yields from the moment when a backfill finds it at rest until anything else comes into it.
    UPDATE lane l SET next_seq = l.next_seq + n.fresh, yields = n.yields AND (l.yields OR l.due_at IS NULL)
    FROM (SELECT target, lane_key, count(*) AS fresh, bool_and(yields) AS yields FROM fresh
        GROUP BY target, lane_key) n
    WHERE l.target = n.target AND l.lane_key = n.lane_key
)
SELECT ord, seq FROM fresh

-- What was a part of an order that had ended before it had a document, and goes on now: its newest is appended anew,
-- since a terminal state is never left. $2 the lanes in which a later revision of the order was recorded.
-- name: revive
WITH last AS (
    SELECT DISTINCT ON (e.lane_key, e.entity_type, e.entity_id) e.* FROM effect e
    WHERE e.target = $1 AND e.lane_key = ANY ($2::text[]) AND e.kind = 'DELTA'
      AND NOT EXISTS (
        SELECT FROM binding b WHERE b.target = e.target AND b.entity_type = 'order' AND b.entity_id = e.lane_key
          AND b.applied_revision IS NOT NULL)
    ORDER BY e.lane_key, e.entity_type, e.entity_id, e.revision DESC, e.seq DESC
), fresh AS (
    SELECT d.*, l.next_seq + row_number() OVER (PARTITION BY d.lane_key ORDER BY d.seq) - 1 AS place
    FROM last d JOIN lane l ON l.target = d.target AND l.lane_key = d.lane_key
    WHERE d.state = 'SUPERSEDED'
), effects AS (
    INSERT INTO effect (
        target, lane_key, seq, entity_type, entity_id, operation, op_id, kind, revision, state,
        external_ref, received_at, source_topic, source_partition, source_offset)
    SELECT target, lane_key, place, entity_type, entity_id, operation, op_id || '#' || place, kind, revision, 'QUEUED',
        external_ref, received_at, source_topic, source_partition, source_offset
    FROM fresh
), payloads AS (
    INSERT INTO payload (target, lane_key, seq, body)
    SELECT f.target, f.lane_key, f.place, p.body
    FROM fresh f JOIN payload p ON p.target = f.target AND p.lane_key = f.lane_key AND p.seq = f.seq
)
UPDATE lane l SET next_seq = l.next_seq + n.fresh
FROM (SELECT target, lane_key, count(*) AS fresh FROM fresh GROUP BY target, lane_key) n
WHERE l.target = n.target AND l.lane_key = n.lane_key

-- Older STATE effects that nobody has begun to send give way to the newest revision; one in flight or in doubt never.
-- So does a return of which nothing was made (its first step is still to come): a revision of one says all of it.
-- name: supersede
UPDATE effect e SET state = 'SUPERSEDED', settled_at = clock_timestamp()
WHERE e.target = $1 AND e.lane_key = ANY ($2::text[]) AND e.state = 'QUEUED'
  AND (e.kind = 'STATE' OR (e.entity_type = 'return' AND e.step = 0))
  AND e.revision < (
    SELECT max(n.revision) FROM effect n
    WHERE n.target = $1 AND n.lane_key = e.lane_key AND n.kind = e.kind
      AND n.entity_type = e.entity_type AND n.entity_id = e.entity_id)
RETURNING e.lane_key, e.seq

-- Wake lanes that have work (idle ones, those held for an effect that is now superseded, and those held for a part
-- whose order has come after all), and take the free due ones: epoch + 1 and a lease. $3 false only wakes; connections
-- in $6 are paused and never taken. Lanes that yield are taken only where $7 says so: by the sweeper, when it has room.
-- name: take
WITH open AS MATERIALIZED (
    SELECT x.target, x.lane_key, x.connection, x.lease_until, x.due_at, x.held_seq, x.yields,
        EXISTS (
            SELECT FROM effect e WHERE e.target = x.target AND e.lane_key = x.lane_key
              AND e.unfinished) AS unfinished,
        EXISTS (
            SELECT FROM effect h WHERE h.target = x.target AND h.lane_key = x.lane_key AND h.seq = x.held_seq
              AND h.state = 'SUPERSEDED')
        OR (x.reason IN ('PARENT_MISSING', 'PARENT_SKIPPED') AND EXISTS (
            SELECT FROM effect s WHERE s.target = x.target AND s.lane_key = x.lane_key AND s.entity_type = 'order'
              AND s.kind = 'STATE' AND s.unfinished)) AS freed
    FROM lane x
    WHERE x.target = $1 AND x.lane_key = ANY ($2::text[])
), woken AS (
    SELECT o.*, CASE WHEN o.unfinished AND (o.freed OR (o.due_at IS NULL AND o.held_seq IS NULL))
        THEN clock_timestamp() ELSE o.due_at END AS wake_at
    FROM open o
), decided AS MATERIALIZED (
    SELECT w.*, $3::boolean AND coalesce(w.wake_at <= clock_timestamp(), false) AND w.connection <> ALL ($6::text[])
        AND (w.lease_until IS NULL OR w.lease_until < clock_timestamp()) AND ($7::boolean OR NOT w.yields) AS take
    FROM woken w
)
UPDATE lane l SET
    due_at = d.wake_at,
    reason = CASE WHEN d.freed OR d.take THEN NULL ELSE l.reason END,
    detail = CASE WHEN d.freed OR d.take THEN NULL ELSE l.detail END,
    held_seq = CASE WHEN d.freed THEN NULL ELSE l.held_seq END,
    since = CASE WHEN d.freed OR d.take THEN NULL ELSE l.since END,
    epoch = l.epoch + d.take::integer,
    owner = CASE WHEN d.take THEN $4 ELSE l.owner END,
    lease_until = CASE WHEN d.take THEN clock_timestamp() + $5::interval ELSE l.lease_until END
FROM decided d
WHERE l.target = d.target AND l.lane_key = d.lane_key
RETURNING l.lane_key, l.epoch, d.take AS taken, d.take AND d.lease_until IS NOT NULL AS taken_over,
    l.held_seq IS NOT NULL AS held

-- What a former holder left in flight is in doubt from now on, and may still land. $3 is the target's late_apply_max;
-- what cannot undo anything (the target compares its mark) opens no window.
-- name: doubt_in_flight
WITH doubted AS (
    UPDATE effect e
    SET state = 'IN_DOUBT', doubt_at = greatest(e.flight_deadline, clock_timestamp())
    WHERE e.target = $1 AND e.lane_key = ANY ($2::text[]) AND e.state = 'IN_FLIGHT'
    RETURNING e.target, e.lane_key, CASE WHEN e.may_undo THEN e.flight_deadline END AS flight_deadline
)
UPDATE lane l SET late_until = greatest(l.late_until, d.flight_deadline + $3::interval)
FROM doubted d WHERE l.target = d.target AND l.lane_key = d.lane_key
RETURNING l.lane_key

-- Free due lanes, at most $2 a connection and $3 in all, the longest due first; paused connections left out. Those that
-- yield are asked for apart ($5).
-- Candidates only: `lock_free` and `take` decide under the lock.
-- name: due
SELECT lane_key FROM (
    SELECT lane_key, due_at, row_number() OVER (PARTITION BY connection ORDER BY due_at) AS place
    FROM (
        SELECT lane_key, connection, due_at FROM lane
        WHERE target = $1 AND due_at <= clock_timestamp()
          AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND connection <> ALL ($4::text[])
          AND yields = $5
        ORDER BY due_at LIMIT 10000
    ) free
) ranked
WHERE place <= $2
ORDER BY due_at LIMIT $3

-- Lock those of the candidates that nobody holds right now.
-- name: lock_free
SELECT lane_key FROM lane
WHERE target = $1 AND lane_key = ANY ($2::text[])
ORDER BY lane_key FOR UPDATE SKIP LOCKED

-- The head effect of each lane that is still ours: the unfinished effect with the lowest seq, but while the lane's
-- order was never applied its STATE effects go before every DELTA. What settles a revision of the order beside its
-- document goes before all that came after that revision: a refund may be of what a supplement is to add.
-- A lane without unfinished effects has seq NULL.
-- Most lanes hold one effect (next_seq 2), which has no others to be compared with.
-- name: heads
WITH ours AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest($2::text[], $3::bigint[]) AS c (lane_key, epoch)
)
SELECT
    l.lane_key, l.epoch, l.connection,
    coalesce(extract(epoch FROM l.late_until - clock_timestamp()), 0)::float8 AS late_for_s,
    e.seq, e.entity_type, e.entity_id, e.operation, e.op_id, e.kind, e.revision, e.forced, e.state, e.step,
    e.intents, e.attempts, e.external_ref, e.received_at,
    p.body, b.external_id, b.applied_revision, b.applied_mark,
    CASE WHEN l.next_seq > 2 OR e.lines IS NOT NULL OR b.lines IS NOT NULL THEN (
        SELECT jsonb_agg(DISTINCT k.line) FROM (
            SELECT jsonb_array_elements_text(b.lines) AS line
            UNION ALL
            SELECT jsonb_array_elements_text(d.lines) FROM effect d
            WHERE d.target = l.target AND d.lane_key = l.lane_key AND d.entity_type = e.entity_type
              AND d.entity_id = e.entity_id) k) END AS lines,
    parent.applied_revision AS parent_revision,
    CASE WHEN NOT parent.tombstone THEN parent.external_id END AS parent_external_id,
    extract(epoch FROM clock_timestamp() - CASE WHEN l.next_seq = 2 THEN e.doubt_at ELSE (
        SELECT max(d.doubt_at) FROM effect d
        WHERE d.target = l.target AND d.lane_key = l.lane_key AND d.entity_type = e.entity_type
          AND d.entity_id = e.entity_id) END)::float8 AS doubt_age_s,
    (e.kind = 'DELTA' AND EXISTS (
        SELECT FROM effect s WHERE s.target = l.target AND s.lane_key = l.lane_key AND s.kind = 'STATE'
          AND s.state = 'SKIPPED')) AS parent_skipped,
    -- The newest revision of the order gave way to nothing newer: it ended before it had a document.
    (e.kind = 'DELTA' AND parent.applied_revision IS NULL AND 'SUPERSEDED' = (
        SELECT s.state FROM effect s WHERE s.target = l.target AND s.lane_key = l.lane_key
          AND s.entity_type = 'order' AND s.kind = 'STATE' ORDER BY s.seq DESC LIMIT 1)) AS parent_ended,
    extract(epoch FROM clock_timestamp() - e.recorded_at)::float8 AS recorded_for_s, e.overdue,
    -- Whether something was sent of this entity that did not become what the target holds by our record: it may stand
    -- there in part, it may have come after all, or what it says stands beside the document.
    (l.next_seq > 2 AND b.applied_revision IS NOT NULL AND EXISTS (
        SELECT FROM effect d
        WHERE d.target = l.target AND d.lane_key = l.lane_key AND d.entity_type = e.entity_type
          AND d.entity_id = e.entity_id AND d.seq <> e.seq AND d.intent_at IS NOT NULL
          AND (d.revision > b.applied_revision OR d.revision = b.applied_revision AND d.state <> 'APPLIED'))) AS touched,
    -- Whether money of the order was given back, or charged in addition, in documents of their own.
    (l.next_seq > 2 AND e.entity_type = 'order' AND EXISTS (
        SELECT FROM effect r WHERE r.target = l.target AND r.lane_key = l.lane_key
          AND (r.entity_type = 'refund' AND r.state IN ('APPLIED', 'VERIFIED')
            OR r.entity_type IN ('supplement', 'reduction') AND r.state NOT IN ('SUPERSEDED', 'SKIPPED')))) AS credited,
    -- Whether anything of it stands beside its document, or is to, and which revision a person left out last of that.
    (l.next_seq > 2 AND e.entity_type = 'order' AND EXISTS (
        SELECT FROM effect d WHERE d.target = l.target AND d.lane_key = l.lane_key
          AND d.entity_type IN ('supplement', 'reduction'))) AS split,
    CASE WHEN l.next_seq > 2 AND e.entity_type = 'order' THEN (
        SELECT max(d.revision) FROM effect d WHERE d.target = l.target AND d.lane_key = l.lane_key
          AND d.entity_type IN ('supplement', 'reduction') AND d.state = 'SKIPPED') END AS left_out,
    CASE WHEN l.next_seq > 3 AND e.kind = 'DELTA' THEN parent.lines END AS parent_lines,
    CASE WHEN l.next_seq > 3 AND e.kind = 'DELTA' THEN (
        SELECT jsonb_agg(jsonb_build_array(w.external_id, w.lines) ORDER BY s.seq) FROM effect s
        JOIN binding w ON w.target = s.target AND w.entity_type = s.entity_type AND w.entity_id = s.entity_id
        WHERE s.target = l.target AND s.lane_key = l.lane_key AND s.entity_type = 'supplement'
          AND NOT w.tombstone) END AS supplements,
    -- What was dealt with last of this entity, by our own record.
    CASE WHEN l.next_seq > 2 AND e.revision > 1 THEN (
        SELECT q.body FROM effect a
        JOIN payload q ON q.target = a.target AND q.lane_key = a.lane_key AND q.seq = a.seq
        WHERE a.target = l.target AND a.lane_key = l.lane_key AND a.entity_type = e.entity_type
          AND a.entity_id = e.entity_id AND a.seq <> e.seq
          AND (a.state IN ('APPLIED', 'VERIFIED') OR (a.kind = 'DELTA' AND a.state = 'SKIPPED'))
        ORDER BY a.revision DESC, a.seq DESC LIMIT 1) END AS settled_body
FROM ours c
JOIN lane l ON l.target = c.target AND l.lane_key = c.lane_key AND l.epoch = c.epoch
LEFT JOIN binding parent
    ON parent.target = l.target AND parent.entity_type = 'order' AND parent.entity_id = l.lane_key
LEFT JOIN LATERAL (
    SELECT * FROM effect u
    WHERE u.target = l.target AND u.lane_key = l.lane_key AND u.unfinished
    ORDER BY (u.kind = 'DELTA' AND parent.applied_revision IS NULL),
        u.entity_type NOT IN ('supplement', 'reduction'), u.seq
    LIMIT 1) e ON true
LEFT JOIN binding b
    ON b.target = e.target AND b.entity_type = e.entity_type AND b.entity_id = e.entity_id AND NOT b.tombstone
LEFT JOIN payload p ON p.target = e.target AND p.lane_key = e.lane_key AND p.seq = e.seq

-- Make intents durable. Only for the holder's epoch and for the effect as it was read; the lease outlives the flight.
-- name: intend
WITH input AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest(
        $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::text[], $10::text[], $11::boolean[]
    ) AS i (lane_key, epoch, seq, state, step, contract_version, lines, may_undo)
), flown AS (
    UPDATE effect e SET
        state = 'IN_FLIGHT', intents = e.intents + 1, attempts = e.attempts + 1,
        flight_deadline = clock_timestamp() + $8::interval, intent_at = clock_timestamp(),
        claimed_at = coalesce(e.claimed_at, clock_timestamp()), contract_version = i.contract_version,
        lines = coalesce(i.lines::jsonb, e.lines), may_undo = i.may_undo
    FROM input i
    JOIN lane l ON l.target = i.target AND l.lane_key = i.lane_key AND l.epoch = i.epoch
    WHERE e.target = i.target AND e.lane_key = i.lane_key AND e.seq = i.seq AND e.state = i.state AND e.step = i.step
    RETURNING e.target, e.lane_key
)
UPDATE lane l SET lease_until = greatest(l.lease_until, clock_timestamp() + $9::interval)
FROM flown f WHERE l.target = f.target AND l.lane_key = f.lane_key
RETURNING l.lane_key

-- Settle effects as read (epoch, state and step must still be those), bind documents, and write down outcomes.
-- What goes back into the queue, held, waiting or between two steps, gives way to a newer revision that was recorded
-- while it was under way: `supersede` spared it then. Sent on, it could lock its document against the newer one.
-- One in doubt never gives way.
-- name: settle_effects
WITH input AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest(
        $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::text[], $8::integer[], $9::boolean[],
        $10::boolean[], $11::integer[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
        $17::text[], $18::text[], $19::text[], $20::text[], $21::text[]
    ) AS i (
        lane_key, epoch, seq, was_state, was_step, state, step, hold,
        doubt, attempts, reason, detail, external_id, number, applied_revision,
        applied_mark, contract_version, lines, what, step_name)
), judged AS MATERIALIZED (
    SELECT i.*, CASE WHEN i.state = 'QUEUED' AND EXISTS (
            SELECT FROM effect o
            JOIN effect n ON n.target = o.target AND n.lane_key = o.lane_key AND n.entity_type = o.entity_type
                AND n.entity_id = o.entity_id AND n.kind = o.kind AND n.revision > o.revision AND n.unfinished
            WHERE o.target = i.target AND o.lane_key = i.lane_key AND o.seq = i.seq
              AND (o.kind = 'STATE' OR (o.entity_type = 'return' AND i.step = 0)))
        THEN 'SUPERSEDED' ELSE i.state END AS becomes
    FROM input i
), settled AS (
    UPDATE effect e SET
        state = i.becomes,
        step = i.step,
        -- A step that falls back keeps its count: more than one request of this effect may be under way.
        intents = CASE WHEN i.step > e.step THEN 0 ELSE e.intents END,
        attempts = CASE WHEN i.step > e.step THEN 0 ELSE e.attempts + i.attempts END,
        error = i.detail,
        doubt_at = CASE WHEN i.doubt THEN greatest(e.flight_deadline, clock_timestamp()) ELSE e.doubt_at END,
        settled_at = CASE WHEN i.becomes IN ('APPLIED', 'VERIFIED', 'SUPERSEDED') THEN clock_timestamp() END
    FROM judged i
    JOIN lane l ON l.target = i.target AND l.lane_key = i.lane_key AND l.epoch = i.epoch
    WHERE e.target = i.target AND e.lane_key = i.lane_key AND e.seq = i.seq
      AND e.state = i.was_state AND e.step = i.was_step
    RETURNING e.lane_key, e.seq, e.state, e.entity_type, e.entity_id, e.revision,
        CASE WHEN e.may_undo THEN e.flight_deadline END AS flight_deadline,
        i.external_id, i.number, i.applied_revision, i.applied_mark, i.contract_version, i.lines,
        CASE WHEN i.hold AND e.state = 'SUPERSEDED' THEN 'superseded' ELSE i.what END AS what,
        i.step_name, i.reason, i.detail
), bound AS (
    INSERT INTO binding (
        target, entity_type, entity_id, external_id, number, applied_revision, applied_mark, contract_version,
        lines, applied_at)
    SELECT $1, entity_type, entity_id, external_id, number, applied_revision, applied_mark,
        contract_version, lines::jsonb, CASE WHEN applied_revision IS NOT NULL THEN clock_timestamp() END
    FROM settled
    WHERE external_id IS NOT NULL
    ORDER BY entity_type, entity_id
    ON CONFLICT (target, entity_type, entity_id) DO UPDATE SET
        external_id = excluded.external_id,
        number = CASE WHEN excluded.number = '' THEN binding.number ELSE excluded.number END,
        applied_revision = coalesce(excluded.applied_revision, binding.applied_revision),
        applied_mark = coalesce(excluded.applied_mark, binding.applied_mark),
        contract_version = coalesce(excluded.contract_version, binding.contract_version),
        lines = excluded.lines,
        tombstone = false,
        applied_at = coalesce(excluded.applied_at, binding.applied_at)
), told AS (
    INSERT INTO event (target, lane_key, seq, entity_type, entity_id, revision, what, step, reason, detail)
    SELECT $1, lane_key, seq, entity_type, entity_id, revision, what, step_name, reason, detail
    FROM settled
    WHERE what <> ''
)
SELECT lane_key, seq, state, flight_deadline FROM settled

-- The lanes after their effects were settled: held, waiting with a due time, done with (released), or still ours.
-- Rows come only for lanes of our epoch; `settled` tells whether the effect was as we had read it.
-- name: settle_lanes
WITH input AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest(
        $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::boolean[], $7::boolean[], $8::float8[], $9::text[],
        $10::text[], $11::boolean[], $12::timestamptz[]
    ) AS i (lane_key, epoch, seq, settled, hold, wait, due_in_s, reason, detail, doubt, flight_deadline)
), judged AS (
    SELECT i.*, l.late_until,
        EXISTS (SELECT FROM effect e WHERE e.target = i.target AND e.lane_key = i.lane_key
            AND e.unfinished) AS unfinished
    FROM input i JOIN lane l ON l.target = i.target AND l.lane_key = i.lane_key AND l.epoch = i.epoch
), decided AS MATERIALIZED (
    SELECT j.*, j.settled AND j.hold AS held, j.settled AND j.wait AS waits,
        NOT j.unfinished OR (j.settled AND (j.hold OR j.wait)) AS free
    FROM judged j
)
UPDATE lane l SET
    late_until = CASE
        WHEN d.doubt THEN greatest(l.late_until, d.flight_deadline + $13::interval)
        WHEN d.lane_key = ANY ($14::text[]) THEN NULL
        ELSE l.late_until END,
    reason = CASE WHEN d.unfinished AND (d.held OR d.waits) THEN d.reason END,
    detail = CASE WHEN d.unfinished AND (d.held OR d.waits) THEN d.detail END,
    since = CASE WHEN d.unfinished AND (d.held OR d.waits) THEN coalesce(l.since, clock_timestamp()) END,
    held_seq = CASE WHEN d.held THEN d.seq END,
    due_at = CASE
        WHEN NOT d.unfinished OR d.held THEN NULL
        WHEN d.waits THEN clock_timestamp() + make_interval(secs => d.due_in_s)
        ELSE l.due_at END,
    owner = CASE WHEN d.free THEN NULL ELSE l.owner END,
    lease_until = CASE WHEN d.free THEN NULL ELSE greatest(l.lease_until, clock_timestamp() + $15::interval) END
FROM decided d
WHERE l.target = d.target AND l.lane_key = d.lane_key
RETURNING l.lane_key, NOT d.free AS mine

-- Begin leases anew; a lane that somebody else took meanwhile has another epoch, one that was given back has no lease.
-- name: renew
UPDATE lane l SET lease_until = greatest(l.lease_until, clock_timestamp() + $4::interval)
FROM unnest($2::text[], $3::bigint[]) AS c (lane_key, epoch)
WHERE l.target = $1 AND l.lane_key = c.lane_key AND l.epoch = c.epoch AND l.lease_until IS NOT NULL
RETURNING l.lane_key

-- Give lanes back without an outcome: they are due at once for whoever comes next, or idle when nothing is left.
-- name: release
WITH ours AS MATERIALIZED (
    SELECT $1::text AS target, * FROM unnest($2::text[], $3::bigint[]) AS c (lane_key, epoch)
)
UPDATE lane l SET owner = NULL, lease_until = NULL,
    due_at = CASE WHEN EXISTS (
        SELECT FROM effect e WHERE e.target = l.target AND e.lane_key = l.lane_key
          AND e.unfinished) THEN l.due_at END
FROM ours c
WHERE l.target = c.target AND l.lane_key = c.lane_key AND l.epoch = c.epoch

-- Target ids of entities that are bound; $2 the type.
-- name: bindings
SELECT entity_id, external_id FROM binding
WHERE target = $1 AND entity_type = $2 AND entity_id = ANY ($3::text[]) AND NOT tombstone

-- Why each object is not for the target, or NULL when it is; rows that say so already are left alone. The parts of an
-- order that was not for it and is now were passed over: they count as not published, so that they are told again.
-- name: mark_eligibility
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS i (connection, type, id, reason)
), changed AS (
    SELECT o.connection, o.type, o.id, w.reason, false AS part
    FROM source_object o JOIN wanted w USING (connection, type, id)
    WHERE o.not_eligible IS DISTINCT FROM w.reason
    UNION ALL
    SELECT p.connection, p.type, p.id, NULL, true
    FROM wanted w
    JOIN source_object o USING (connection, type, id)
    JOIN source_object p ON p.connection = o.connection AND p.parent = o.id AND p.parent <> ''
    WHERE o.type = 'order' AND o.not_eligible IS NOT NULL AND w.reason IS NULL AND NOT p.gone
), locked AS (
    SELECT c.connection, c.type, c.id, c.reason, c.part
    FROM source_object o JOIN changed c USING (connection, type, id)
    ORDER BY o.connection, o.type, o.id
    FOR UPDATE OF o
)
UPDATE source_object o SET
    not_eligible = CASE WHEN l.part THEN o.not_eligible ELSE l.reason END,
    published_revision = CASE WHEN l.part THEN 0 ELSE o.published_revision END
FROM locked l WHERE (o.connection, o.type, o.id) = (l.connection, l.type, l.id)

-- Which of these orders are by rule not for the target. $1 connections, $2 ids.
-- name: left_out
SELECT o.connection, o.id FROM unnest($1::text[], $2::text[]) AS i (connection, id)
JOIN source_object o ON o.connection = i.connection AND o.type = 'order' AND o.id = i.id
WHERE o.not_eligible IS NOT NULL

-- Which of these lanes have anything in the ledger.
-- name: known_lanes
SELECT lane_key FROM lane WHERE target = $1 AND lane_key = ANY ($2::text[])

-- Lanes that are due or will be: the unfinished work of a target, counted up to $2; paused connections left out.
-- name: unfinished
SELECT count(*) AS lanes FROM (
    SELECT FROM lane WHERE target = $1 AND due_at IS NOT NULL AND connection <> ALL ($3::text[]) LIMIT $2
) AS busy

-- The circuit of a target: seconds until it may be tried again (negative: try it with little), NULL when closed.
-- name: circuit
SELECT extract(epoch FROM open_until - clock_timestamp())::float8 AS left_s, failures FROM circuit WHERE target = $1

-- name: open_circuit
INSERT INTO circuit (target, open_until, failures, reason, detail)
VALUES ($1, clock_timestamp() + make_interval(secs => $2::float8), 1, $3, $4)
ON CONFLICT (target) DO UPDATE SET
    open_until = greatest(circuit.open_until, excluded.open_until),
    failures = circuit.failures + 1, reason = excluded.reason, detail = excluded.detail

-- name: close_circuit
DELETE FROM circuit WHERE target = $1

-- name: pause
INSERT INTO pause (connection, target, reason, paused_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::float8))
ON CONFLICT (connection, target, reason) DO UPDATE SET paused_until = excluded.paused_until

-- name: paused
SELECT DISTINCT connection FROM pause WHERE target = $1 AND paused_until > clock_timestamp()
