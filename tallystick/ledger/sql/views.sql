-- What people and other services ask: where an order is, and its story. A call takes the same number of statements for
-- any number of orders. IN_TARGET and TALE stand for the parts of those names.

-- Where the order `o` is in the target of the route `r`.
-- name: in_target
SELECT
    l.lane_key IS NOT NULL OR b.external_id IS NOT NULL AS known,
    s.state,
    CASE s.state
        WHEN 'HELD' THEN l.reason
        WHEN 'WAITING' THEN coalesce(l.reason, 'TARGET_DOWN')
        WHEN 'NOT_ELIGIBLE' THEN o.not_eligible END AS reason,
    CASE WHEN s.state IN ('HELD', 'WAITING') THEN coalesce(l.detail, c.detail) END AS detail,
    b.external_id, b.number AS document_number, b.applied_revision, b.contract_version, b.applied_at,
    u.in_doubt, u.attempts,
    CASE WHEN s.state = 'WAITING' THEN CASE WHEN l.reason IS NULL THEN c.open_until ELSE l.due_at END END AS due_at,
    CASE WHEN s.state IN ('HELD', 'WAITING') THEN l.since END AS since
-- Ids of connections need no encoding, and most of orders do not; worked out once, not at each join.
FROM (
    SELECT o.connection || '/' || CASE WHEN o.id COLLATE "C" ~ '^[A-Za-z0-9_.~-]*$' THEN o.id ELSE key_part(o.id) END
        AS lane_key OFFSET 0
) k
LEFT JOIN lane l ON l.target = r.target AND l.lane_key = k.lane_key
LEFT JOIN binding b
    ON b.target = r.target AND b.entity_type = 'order' AND b.entity_id = k.lane_key AND NOT b.tombstone
LEFT JOIN circuit c ON c.target = r.target AND c.open_until > clock_timestamp()
LEFT JOIN LATERAL (
    SELECT revision, state FROM effect
    WHERE target = r.target AND lane_key = k.lane_key AND entity_type = 'order' AND kind = 'STATE'
    ORDER BY revision DESC, seq DESC LIMIT 1) e ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS number, coalesce(bool_or(state = 'IN_DOUBT'), false) AS in_doubt,
        coalesce(max(attempts), 0) AS attempts
    FROM effect
    WHERE target = r.target AND lane_key = k.lane_key AND unfinished) u
CROSS JOIN LATERAL (SELECT CASE
    WHEN l.held_seq IS NOT NULL THEN 'HELD'
    WHEN u.number > 0 AND l.lease_until > clock_timestamp() THEN 'SYNCING'
    WHEN u.number > 0 AND (l.reason IS NOT NULL OR c.target IS NOT NULL) THEN 'WAITING'
    WHEN u.number > 0 THEN 'SYNCING'
    WHEN o.revision > e.revision THEN 'ACCEPTED'
    WHEN e.state = 'SKIPPED' THEN 'SKIPPED'
    WHEN e.state IN ('APPLIED', 'VERIFIED') OR b.applied_revision >= e.revision THEN 'SYNCED'
    WHEN e.state IS NULL AND b.external_id IS NOT NULL THEN 'ADOPTED'
    WHEN e.state IS NOT NULL OR o.not_eligible IS NOT NULL THEN 'NOT_ELIGIBLE'
    ELSE 'ACCEPTED' END AS state) s

-- One row for each order and target, newest first; a target is shown when its route is on or it knows the order.
-- $1 to $3 are the routes, $4 the only target that is wanted, $5 and $6 the orders; $7 whether only those count that
-- are in the state $8 and have the reason $9 there, $10 how many.
-- name: describe
WITH route AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[]) AS r (connection, target, shown)
), picked AS (
    -- Sorted before they are judged, so that no more are judged than are wanted.
    SELECT o.* FROM (
        SELECT o.* FROM unnest($5::text[], $6::text[]) AS i (connection, id)
        JOIN source_object o ON o.connection = i.connection AND o.type = 'order' AND o.id = i.id
        ORDER BY o.first_seen_at DESC, o.connection DESC, o.id DESC OFFSET 0
    ) o
    WHERE NOT $7::boolean OR EXISTS (
        SELECT FROM route r CROSS JOIN LATERAL (IN_TARGET) s
        WHERE r.connection = o.connection AND (r.shown OR s.known) AND ($4::text = '' OR r.target = $4)
          AND ($8::text = '' OR s.state = $8) AND ($9::text = '' OR s.reason = $9))
    LIMIT $10
)
SELECT o.connection, o.id, o.number, o.revision, o.gone, o.sightings, o.first_seen_at, o.changed_at,
    o.source_modified, t.*, pg_current_snapshot()::text AS snapshot
FROM picked o
LEFT JOIN LATERAL (
    SELECT r.target, s.* FROM route r CROSS JOIN LATERAL (IN_TARGET) s
    WHERE r.connection = o.connection AND (r.shown OR s.known) AND ($4 = '' OR r.target = $4)
) t ON true
ORDER BY o.first_seen_at DESC, o.connection DESC, o.id DESC, t.target

-- Orders, newest first by what never changes. $1 connection, $2 changed since, $3 to $5 the last order before them or
-- infinity, $6 how many, $7 only those that are not eligible.
-- name: newest
SELECT o.first_seen_at, o.connection, o.id FROM source_object o
WHERE o.type = 'order'
  AND ($1::text = '' OR o.connection = $1)
  AND ($2::timestamptz IS NULL OR o.changed_at >= $2)
  AND (o.first_seen_at, o.connection, o.id) < ($3::timestamptz, $4::text, $5::text)
  AND (NOT $7::boolean OR o.not_eligible IS NOT NULL)
ORDER BY o.first_seen_at DESC, o.connection DESC, o.id DESC
LIMIT $6

-- As `newest`, for states that few among many orders are in, and indexes know which.
-- name: rare
SELECT o.first_seen_at, o.connection, o.id
FROM (
    SELECT lane_key FROM lane WHERE reason IS NOT NULL OR due_at IS NOT NULL
    UNION SELECT lane_key FROM effect WHERE state = 'SKIPPED'
    UNION SELECT entity_id FROM binding WHERE adopted AND entity_type = 'order'
) known
JOIN source_object o ON o.type = 'order' AND o.connection = split_part(known.lane_key, '/', 1)
    AND o.id = key_text(split_part(known.lane_key, '/', 2)) AND split_part(known.lane_key, '/', 3) = ''
WHERE ($1::text = '' OR o.connection = $1)
  AND ($2::timestamptz IS NULL OR o.changed_at >= $2)
  AND (o.first_seen_at, o.connection, o.id) < ($3::timestamptz, $4::text, $5::text)
ORDER BY o.first_seen_at DESC, o.connection DESC, o.id DESC
LIMIT $6

-- Orders that texts may mean, by id and by number. $1 all connections; for each text the connection that it names (or
-- none), the id and the number that it may be.
-- name: find
WITH wanted AS (
    SELECT i.ord, c.connection, i.id, i.number
    FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS i (connection, id, number, ord)
    JOIN unnest($1::text[]) AS c (connection) ON i.connection IN ('', c.connection)
)
SELECT w.ord, o.connection, o.id, true AS by_id
FROM wanted w JOIN source_object o ON o.connection = w.connection AND o.type = 'order' AND o.id = w.id
UNION
SELECT w.ord, o.connection, o.id, o.id = w.id
FROM wanted w
JOIN source_object o ON o.connection = w.connection AND o.type = 'order' AND o.number IN (w.number, '#' || w.number)
WHERE w.number <> ''
ORDER BY ord, by_id DESC, connection, id

-- The story of one order in the targets $1: the first sightings of it and its parts, what was recorded, what gave way
-- in silence, and the event log. $2 lane, $3 connection, $4 id.
-- name: tale
SELECT first_seen_at AS at, 0 AS rank, 0::bigint AS id, ''::text AS target, 'first seen' AS what,
    'order' AS entity_type, $2::text AS entity_id, NULL::bigint AS revision, NULL::text AS step, NULL::text AS reason,
    NULL::text AS detail, NULL::text AS actor, NULL::text AS request_id, NULL::timestamptz AS received_at
FROM source_object WHERE connection = $3::text AND type = 'order' AND id = $4::text
UNION ALL
SELECT first_seen_at, 0, hashtextextended(type || '/' || id, 0), '', 'first seen', type,
    $2 || '/' || type || '/' || key_part(id), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM source_object WHERE connection = $3 AND parent = $4 AND parent <> ''
UNION ALL
SELECT recorded_at, 1, seq, target, CASE WHEN op_id LIKE 'resync:%' THEN 'recorded again' ELSE 'recorded' END,
    entity_type, entity_id, revision, NULL, NULL, NULL, NULL, NULL, received_at
FROM effect WHERE target = ANY ($1::text[]) AND lane_key = $2
UNION ALL
SELECT settled_at, 2, seq, target, 'superseded', entity_type, entity_id, revision, NULL, NULL, NULL, NULL, NULL, NULL
FROM effect e
WHERE target = ANY ($1) AND lane_key = $2 AND state = 'SUPERSEDED' AND NOT EXISTS (
    SELECT FROM event v WHERE v.target = e.target AND v.lane_key = e.lane_key AND v.seq = e.seq
      AND v.what IN ('superseded', 'not eligible'))
UNION ALL
SELECT at, 3, id, target, what, entity_type, entity_id, revision, step, reason, detail, actor, request_id, NULL
FROM event WHERE target = ANY ($1) AND lane_key = $2

-- A page of the TALE. $5 to $8 the last row of the page before, $9 how many, $10 whether from the end on.
-- name: story
SELECT t.*, b.external_id, b.number AS document_number, p.body FROM (
    SELECT *, row_number() OVER (ORDER BY
        CASE WHEN $10 THEN at END DESC, CASE WHEN $10 THEN rank END DESC, CASE WHEN $10 THEN id END DESC,
        CASE WHEN $10 THEN target END DESC, at, rank, id, target) AS place
    FROM (TALE) tale
    WHERE $5::timestamptz IS NULL OR CASE WHEN $10::boolean
        THEN (at, rank, id, target) < ($5, $6::integer, $7::bigint, $8::text)
        ELSE (at, rank, id, target) > ($5, $6, $7, $8) END
    ORDER BY place LIMIT $9
) t
LEFT JOIN binding b ON b.target = t.target AND b.entity_type = t.entity_type AND b.entity_id = t.entity_id
    AND NOT b.tombstone AND t.what IN ('applied', 'verified', 'marked applied', 'adopted')
LEFT JOIN payload p ON t.rank = 1 AND t.entity_type <> 'order'
    AND p.target = t.target AND p.lane_key = $2 AND p.seq = t.id
ORDER BY t.place

-- What is held, by target, reason and name. $1 connection, $2 target, $3 reason, $4 to $6 the last of the page before.
-- name: held
SELECT l.target, l.lane_key, l.connection, l.reason, l.detail, l.since, e.entity_type, e.revision,
    e.state = 'IN_DOUBT' AS in_doubt, b.external_id, b.number AS document_number, o.id AS order_id, o.number,
    (SELECT count(*) FROM effect n WHERE n.target = l.target AND n.lane_key = l.lane_key AND n.seq <> l.held_seq
        AND n.unfinished) AS waiting_behind
FROM lane l
JOIN effect e ON e.target = l.target AND e.lane_key = l.lane_key AND e.seq = l.held_seq
LEFT JOIN binding b ON b.target = e.target AND b.entity_type = e.entity_type AND b.entity_id = e.entity_id
    AND NOT b.tombstone
LEFT JOIN source_object o ON o.connection = l.connection AND o.type = 'order' AND split_part(l.lane_key, '/', 3) = ''
    AND o.id = key_text(split_part(l.lane_key, '/', 2))
WHERE l.reason IS NOT NULL AND l.held_seq IS NOT NULL
  AND ($1::text = '' OR l.connection = $1) AND ($2::text = '' OR l.target = $2) AND ($3::text = '' OR l.reason = $3)
  AND (l.target, l.reason, l.lane_key) > ($4::text, $5::text, $6::text)
ORDER BY l.target, l.reason, l.lane_key
LIMIT $7

-- Where a lane is held, or the request $3 has acted on it.
-- name: held_in
SELECT target, acted FROM (
    SELECT l.target, l.held_seq, EXISTS (
        SELECT FROM event v
        WHERE v.target = l.target AND v.lane_key = l.lane_key AND v.request_id = $3) AS acted
    FROM lane l WHERE l.target = ANY ($1::text[]) AND l.lane_key = $2
) x
WHERE held_seq IS NOT NULL OR acted
ORDER BY target
