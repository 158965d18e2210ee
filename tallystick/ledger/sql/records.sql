-- Records: where everything is that crosses beside orders and shelves. A call takes the same number of statements for
-- any number of records. Words in capitals stand for the parts of that name.
--
-- A record is one entity in one target. Kinds that stores show (refunds, customers) begin with their first sighting,
-- whether or not a target ever hears of them; all others (payments, shipments) with their first effect. That moment
-- never changes, so pages by (moment, name, target) stay stable while records come in and their states change.

-- The source object of the record `k`, whose lane came from `origin`; names nothing where it has none.
-- name: source
SELECT
    CASE k.kind WHEN 'customer' THEN key_text(split_part(k.name, '/', 2)) WHEN 'price' THEN k.origin
        ELSE key_text(split_part(k.name, '/', 1)) END AS connection,
    CASE k.kind WHEN 'price' THEN 'product' ELSE k.kind END AS type,
    key_text(split_part(k.name, '/', CASE WHEN k.kind IN ('customer', 'price', 'fulfilment') THEN 3 ELSE 4 END)) AS id

-- The name of the source object `o` as a record, and its lane.
-- name: named
SELECT CASE WHEN o.parent = '' THEN l.lane_key ELSE l.lane_key || '/' || o.type || '/' || key_part(o.id) END AS name,
    l.lane_key
FROM (SELECT CASE WHEN o.parent = '' THEN o.type || '/' || o.connection || '/' || key_part(o.id)
    ELSE o.connection || '/' || key_part(o.parent) END AS lane_key) l

-- The newest. $1 to $4 kinds that stores show, their stores, the targets, and whether their flow is on there; $5 and $6
-- all pairs of a target and a kind; $7 to $9 the last record before them, $10 since when they are known, $11 the
-- connection that they come from, $12 how many. What a store shows stands here twice once a target has heard of it, and
-- `describe` leaves one out: here, that could cost a look at every one of its kind.
-- name: newest
SELECT * FROM (
    SELECT s.* FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS r (kind, connection, target, shown)
    CROSS JOIN LATERAL (
        SELECT o.first_seen_at AS at, n.name, r.target, r.kind, n.lane_key
        FROM source_object o CROSS JOIN LATERAL (NAMED) n
        WHERE o.type <> 'order' AND o.connection = r.connection AND o.type = r.kind
          AND o.first_seen_at <= $7::timestamptz AND (o.first_seen_at, n.name, r.target) < ($7, $8::text, $9::text)
          AND ($10::timestamptz IS NULL OR o.first_seen_at >= $10)
          AND ($11::text = '' OR o.connection = $11)
          AND (r.shown OR EXISTS (
            SELECT FROM effect e WHERE e.target = r.target AND e.lane_key = n.lane_key AND e.entity_type = r.kind
              AND e.entity_id = n.name))
        ORDER BY o.first_seen_at DESC, n.name DESC LIMIT $12) s
    UNION ALL
    SELECT s.* FROM unnest($5::text[], $6::text[]) AS r (target, kind)
    CROSS JOIN LATERAL (
        SELECT e.recorded_at, e.entity_id, e.target, e.entity_type, e.lane_key
        FROM effect e
        WHERE e.entity_type <> 'order' AND e.entity_type <> 'stock'
          AND e.target = r.target AND e.entity_type = r.kind
          AND e.recorded_at <= $7 AND (e.recorded_at, e.entity_id, e.target) < ($7, $8, $9)
          AND ($10 IS NULL OR e.recorded_at >= $10)
          AND ($11 = '' OR $11 = (SELECT l.connection FROM lane l WHERE l.target = e.target AND l.lane_key = e.lane_key))
          AND NOT EXISTS (
            SELECT FROM effect f WHERE f.target = e.target AND f.lane_key = e.lane_key
              AND f.entity_type = e.entity_type AND f.entity_id = e.entity_id AND f.seq < e.seq)
        ORDER BY e.recorded_at DESC, e.entity_id DESC LIMIT $12) s
) known
ORDER BY at DESC, name DESC, target DESC
LIMIT $12

-- Those among the CHOSEN; parameters as in `newest`, and $13 and $14 what they are chosen by.
-- name: few
WITH shown AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS r (kind, connection, target, shown)
), asked AS (
    SELECT $13::text AS name, $14::text AS id
)
SELECT at, name, target, kind, lane_key FROM (
    SELECT coalesce(o.first_seen_at, (
            SELECT min(f.recorded_at) FROM effect f
            WHERE f.target = k.target AND f.lane_key = k.lane_key AND f.entity_type = k.kind AND f.entity_id = k.name
        )) AS at, k.*
    FROM (
        SELECT c.*, l.connection AS origin FROM (CHOSEN) c
        JOIN unnest($5::text[], $6::text[]) AS r (target, kind) USING (target, kind)
        LEFT JOIN lane l USING (target, lane_key)
    ) k
    CROSS JOIN LATERAL (SOURCE) w
    LEFT JOIN source_object o ON k.kind = ANY ($1::text[])
        AND o.connection = w.connection AND o.type = w.type AND o.id = w.id
    WHERE $11::text = '' OR coalesce(o.connection, k.origin) = $11
) known
WHERE (at, name, target) < ($7::timestamptz, $8::text, $9::text) AND ($10::timestamptz IS NULL OR at >= $10)
ORDER BY at DESC, name DESC, target DESC
LIMIT $12

-- What is unfinished or was skipped: indexes know it, and it is little.
-- name: open
SELECT target, lane_key, entity_type AS kind, entity_id AS name FROM effect WHERE unfinished
UNION
SELECT target, lane_key, entity_type, entity_id FROM effect WHERE state = 'SKIPPED'

-- What belongs to the order whose lane is asked for; `id` is its id in its store.
-- name: of_order
SELECT e.target, e.lane_key, e.entity_type AS kind, e.entity_id AS name
FROM asked a JOIN effect e ON e.lane_key = a.name
WHERE e.target = ANY ($5)
UNION
SELECT r.target, n.lane_key, r.kind, n.name
FROM asked a
JOIN shown r ON r.shown
JOIN source_object o ON o.connection = r.connection AND o.type = r.kind AND o.parent = a.id AND o.parent <> ''
CROSS JOIN LATERAL (NAMED) n
WHERE n.lane_key = a.name

-- What has the name that is asked for; `id` is the one that it would have in its source.
-- name: of_name
SELECT e.target, e.lane_key, e.entity_type AS kind, e.entity_id AS name
FROM asked a JOIN effect e ON e.entity_type <> 'order' AND e.entity_type <> 'stock' AND e.entity_id = a.name
UNION
SELECT r.target, n.lane_key, r.kind, n.name
FROM asked a
JOIN shown r ON r.shown
JOIN source_object o ON o.connection = r.connection AND o.type = r.kind AND o.id = a.id
CROSS JOIN LATERAL (NAMED) n
WHERE n.name = a.name

-- Where each record is, in the order in which they are given: $1 to $5. $6 kinds that stores show; $7 and $8 the state
-- and the reason that are wanted, $9 the reason in words, $10 how many.
-- name: describe
SELECT r.*, p.body FROM (
    SELECT k.at, k.name, k.target, k.kind, k.lane_key, k.place, coalesce(o.connection, k.origin) AS connection,
        CASE WHEN o.connection IS NOT NULL THEN o.id END AS source_id,
        coalesce(o.revision, 0) AS revision, coalesce(o.gone, false) AS gone, e.seq,
        b.external_id, b.number AS document_number, b.applied_revision, b.contract_version, b.applied_at,
        u.in_doubt, u.attempts, s.state,
        CASE s.state
            WHEN 'HELD' THEN l.reason
            WHEN 'WAITING' THEN coalesce(l.reason, 'TARGET_DOWN')
            WHEN 'NOT_ELIGIBLE' THEN CASE WHEN e.state = 'SUPERSEDED' THEN NULL
                ELSE coalesce(o.not_eligible, whole.not_eligible, CASE WHEN o.gone THEN 'GONE' END) END
        END AS reason,
        CASE
            WHEN s.state IN ('HELD', 'WAITING') THEN coalesce(l.detail, c.detail)
            WHEN s.state = 'NOT_ELIGIBLE' AND e.state = 'SUPERSEDED' THEN (
                SELECT v.detail FROM event v WHERE v.target = k.target AND v.lane_key = k.lane_key AND v.seq = e.seq
                  AND v.what IN ('not eligible', 'superseded') ORDER BY v.id DESC LIMIT 1)
        END AS detail,
        CASE WHEN s.state = 'WAITING' THEN h.entity_id END AS behind,
        CASE WHEN s.state IN ('HELD', 'WAITING') THEN l.since END AS since,
        CASE WHEN s.state = 'WAITING' AND l.held_seq IS NULL
            THEN CASE WHEN l.reason IS NULL THEN c.open_until ELSE l.due_at END END AS due_at
    FROM (
        SELECT i.*, l.connection AS origin
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
            AS i (at, name, target, kind, lane_key, place)
        LEFT JOIN lane l USING (target, lane_key)
    ) k
    CROSS JOIN LATERAL (SOURCE) w
    LEFT JOIN source_object o ON o.connection = w.connection AND o.type = w.type AND o.id = w.id
    -- What is a part of an order that is not for the target is not for it either.
    LEFT JOIN source_object whole ON k.kind = ANY ($6::text[])
        AND whole.connection = o.connection AND whole.type = 'order' AND whole.id = o.parent
    LEFT JOIN lane l ON l.target = k.target AND l.lane_key = k.lane_key
    LEFT JOIN effect h ON h.target = l.target AND h.lane_key = l.lane_key AND h.seq = l.held_seq
    LEFT JOIN binding b ON b.target = k.target AND b.entity_type = k.kind AND b.entity_id = k.name AND NOT b.tombstone
    LEFT JOIN circuit c ON c.target = k.target AND c.open_until > clock_timestamp()
    LEFT JOIN LATERAL (
        SELECT seq, revision, state, kind FROM effect
        WHERE target = k.target AND lane_key = k.lane_key AND entity_type = k.kind AND entity_id = k.name
        ORDER BY revision DESC, seq DESC LIMIT 1) e ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, coalesce(bool_or(state = 'IN_DOUBT'), false) AS in_doubt,
            coalesce(max(attempts), 0) AS attempts
        FROM effect
        WHERE target = k.target AND lane_key = k.lane_key AND entity_type = k.kind AND entity_id = k.name
          AND unfinished) u
    CROSS JOIN LATERAL (SELECT CASE
        WHEN u.number > 0 AND h.entity_type = k.kind AND h.entity_id = k.name THEN 'HELD'
        WHEN u.number > 0 AND h.seq IS NOT NULL THEN 'WAITING'
        WHEN u.number > 0 AND l.lease_until > clock_timestamp() THEN 'SYNCING'
        WHEN u.number > 0 AND (l.reason IS NOT NULL OR c.target IS NOT NULL) THEN 'WAITING'
        WHEN u.number > 0 THEN 'SYNCING'
        -- Revision 0 is what an order made sure of: its customer is there, whatever its own revisions come to.
        WHEN o.revision > e.revision AND NOT o.gone AND (e.revision > 0 OR o.not_eligible IS NULL)
            THEN CASE WHEN o.not_eligible IS NULL THEN 'ACCEPTED' ELSE 'NOT_ELIGIBLE' END
        WHEN e.state = 'SKIPPED' THEN 'SKIPPED'
        WHEN e.state IN ('APPLIED', 'VERIFIED') OR b.applied_revision >= e.revision THEN 'SYNCED'
        -- A later word about what is booked that changes nothing of it.
        WHEN e.state = 'SUPERSEDED' AND e.kind = 'DELTA' AND b.external_id IS NOT NULL THEN 'SYNCED'
        WHEN e.state IS NOT NULL THEN 'NOT_ELIGIBLE'
        WHEN b.external_id IS NOT NULL THEN 'ADOPTED'
        WHEN o.gone OR o.not_eligible IS NOT NULL OR whole.not_eligible IS NOT NULL THEN 'NOT_ELIGIBLE'
        ELSE 'ACCEPTED' END AS state) s
    WHERE ($7::text = '' OR s.state = $7)
      -- What a store shows stands where it was shown first.
      AND (k.kind <> ALL ($6) OR o.connection IS NULL OR o.first_seen_at = k.at)
    ORDER BY k.place
) r
LEFT JOIN payload p ON p.target = r.target AND p.lane_key = r.lane_key AND p.seq = r.seq
WHERE $8::text = '' OR r.reason = $8 OR (r.state = 'NOT_ELIGIBLE' AND r.detail = $9)
ORDER BY r.place
LIMIT $10
