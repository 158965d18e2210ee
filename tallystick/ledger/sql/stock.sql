-- Stock: levels, reservations, and what has to be looked at. Rows are locked in the order stock_order, stock_level,
-- stock_touch, stock_wish, each by key; whoever holds lanes took them before.

-- ---- levels --------------------------------------------------------------------------------------------------------

-- The stored levels of these keys, held until the end of the transaction: what they change is seen only behind the lock.
-- name: lock_levels
SELECT FROM stock_level l JOIN unnest($1::text[], $2::text[], $3::text[]) AS i (erp, sku, warehouse)
    USING (erp, sku, warehouse)
ORDER BY l.erp, l.sku, l.warehouse FOR UPDATE OF l

-- Levels whose read began later than what is stored, and a touch for each store ($8 of ERP $9) of what that changes:
-- another figure, or a sale that the figure has in it now. Each level stands once in the input.
-- name: record_levels
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::bigint[], $7::timestamptz[]
    ) AS i (erp, sku, warehouse, available, on_hand, read_seq, read_at)
), old AS MATERIALIZED (
    SELECT l.* FROM stock_level l JOIN input i USING (erp, sku, warehouse)
), written AS (
    INSERT INTO stock_level AS l (erp, sku, warehouse, available, on_hand, read_seq, read_at)
    SELECT erp, sku, warehouse, available, on_hand, read_seq, read_at FROM input
    ORDER BY erp, sku, warehouse
    ON CONFLICT (erp, sku, warehouse) DO UPDATE SET
        available = excluded.available, on_hand = excluded.on_hand,
        read_seq = excluded.read_seq, read_at = excluded.read_at
    WHERE l.read_seq < excluded.read_seq
    RETURNING l.erp, l.sku, l.warehouse, l.available, l.read_seq
), changed AS (
    SELECT DISTINCT w.erp, w.sku FROM written w LEFT JOIN old o USING (erp, sku, warehouse)
    WHERE o.sku IS NULL OR o.available <> w.available OR EXISTS (
        SELECT FROM reservation r
        WHERE r.erp = w.erp AND r.sku = w.sku AND r.warehouse = w.warehouse AND r.quantity > 0
          AND coalesce(r.taken_seq, 9223372036854775807) BETWEEN o.read_seq + 1 AND w.read_seq)
)
INSERT INTO stock_touch (erp, store, sku)
SELECT c.erp, s.store, c.sku FROM changed c
JOIN unnest($8::text[], $9::text[]) AS s (store, erp) ON s.erp = c.erp
ORDER BY c.erp, s.store, c.sku
ON CONFLICT (erp, store, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()

-- ---- reservations --------------------------------------------------------------------------------------------------

-- Take the orders whose revision is none that is older than what is stored; the others do not come back. An order that
-- was booked before anybody kept reservations has taken its goods: from now on, as far as we can tell.
-- name: take_orders
INSERT INTO stock_order AS o (erp, order_key, revision, taken_revision, taken_seq)
SELECT i.erp, i.order_key, i.revision, coalesce(b.applied_revision, 0),
    CASE WHEN b.applied_revision IS NOT NULL THEN nextval('accepted_seq') END
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS i (erp, order_key, revision)
LEFT JOIN binding b ON b.target = i.erp AND b.entity_type = 'order' AND b.entity_id = i.order_key AND NOT b.tombstone
ORDER BY i.erp, i.order_key
ON CONFLICT (erp, order_key) DO UPDATE SET revision = excluded.revision
WHERE o.revision <= excluded.revision
RETURNING o.erp, o.order_key, o.revision, o.taken_revision, o.taken_seq

-- The lines of these orders ($1 to $5, taken just before) are now $6 to $11; others of theirs hold nothing any more.
-- A line that stays as it is stays taken. Touches for the stores ($12 of ERP $13), and wishes for what is taken already.
-- name: reserve
WITH taken AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS o (erp, order_key, revision, taken_revision, taken_seq)
), input AS MATERIALIZED (
    SELECT i.*, t.revision, CASE WHEN t.taken_revision >= t.revision THEN t.taken_seq END AS taken_seq
    FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::numeric[])
        AS i (erp, order_key, line_id, sku, warehouse, quantity)
    JOIN taken t USING (erp, order_key)
), old AS MATERIALIZED (
    SELECT r.* FROM reservation r JOIN taken t USING (erp, order_key)
), written AS (
    INSERT INTO reservation AS r (erp, order_key, line_id, sku, warehouse, quantity, revision, taken_seq)
    SELECT erp, order_key, line_id, sku, warehouse, quantity, revision, taken_seq FROM input
    ON CONFLICT (erp, order_key, line_id) DO UPDATE SET
        sku = excluded.sku, warehouse = excluded.warehouse, quantity = excluded.quantity,
        revision = excluded.revision, taken_seq = excluded.taken_seq
    WHERE (r.sku, r.warehouse, r.quantity) IS DISTINCT FROM (excluded.sku, excluded.warehouse, excluded.quantity)
    RETURNING r.erp, r.order_key, r.line_id, r.sku, r.taken_seq
), emptied AS (
    UPDATE reservation r SET quantity = 0, revision = t.revision, taken_seq = NULL
    FROM taken t
    WHERE r.erp = t.erp AND r.order_key = t.order_key AND r.quantity > 0 AND NOT EXISTS (
        SELECT FROM input i
        WHERE i.erp = r.erp AND i.order_key = r.order_key AND i.line_id = r.line_id)
    RETURNING r.erp, r.sku
), changed AS MATERIALIZED (
    SELECT erp, sku FROM written
    UNION SELECT o.erp, o.sku FROM old o JOIN written w USING (erp, order_key, line_id)
    UNION SELECT erp, sku FROM emptied
    -- Whatever changed about the order, a refund say, may have made its store put goods back on the shelf by itself.
    UNION SELECT o.erp, o.sku FROM old o JOIN taken t USING (erp, order_key) WHERE t.revision > o.revision
), touched AS (
    INSERT INTO stock_touch (erp, store, sku)
    SELECT c.erp, s.store, c.sku FROM changed c
    JOIN unnest($12::text[], $13::text[]) AS s (store, erp) ON s.erp = c.erp
    ORDER BY c.erp, s.store, c.sku
    ON CONFLICT (erp, store, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()
    RETURNING 1
), wished AS (
    INSERT INTO stock_wish (erp, sku)
    SELECT DISTINCT erp, sku FROM written WHERE taken_seq IS NOT NULL ORDER BY erp, sku
    ON CONFLICT (erp, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()
    RETURNING 1
)
SELECT (SELECT count(*) FROM touched) AS touched, (SELECT count(*) FROM wished) AS wished

-- These orders of the ERP $1 have taken their goods there, by the effects that stand at ($2, $3). Answers those for
-- which that is news; the number is drawn after the step was done.
-- name: take
INSERT INTO stock_order AS o (erp, order_key, revision, taken_revision, taken_seq)
SELECT n.target, n.lane_key, 0, n.revision, nextval('accepted_seq') FROM (
    SELECT e.target, e.lane_key, max(e.revision) AS revision
    FROM unnest($2::text[], $3::bigint[]) AS i (lane_key, seq)
    JOIN effect e ON e.target = $1 AND e.lane_key = i.lane_key AND e.seq = i.seq AND e.entity_type = 'order'
    GROUP BY e.target, e.lane_key ORDER BY e.lane_key
) n
ON CONFLICT (erp, order_key) DO UPDATE SET taken_revision = excluded.taken_revision, taken_seq = excluded.taken_seq
WHERE o.taken_revision < excluded.taken_revision
RETURNING o.order_key, o.taken_revision, o.taken_seq

-- The lines of these orders that are not newer than what was taken; and a fresh read of all their SKUs. In a statement
-- of its own: lines that were reserved while `take` waited for the order are seen only now.
-- name: mark_taken
WITH taken AS MATERIALIZED (
    SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS o (order_key, taken_revision, taken_seq)
), marked AS (
    UPDATE reservation r SET taken_seq = t.taken_seq FROM taken t
    WHERE r.erp = $1 AND r.order_key = t.order_key AND r.revision <= t.taken_revision AND r.taken_seq IS NULL
    RETURNING 1
)
INSERT INTO stock_wish (erp, sku)
SELECT DISTINCT r.erp, r.sku FROM reservation r JOIN taken t ON t.order_key = r.order_key WHERE r.erp = $1
ORDER BY r.erp, r.sku
ON CONFLICT (erp, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()

-- Everything before these offsets is in the reservations.
-- name: position
INSERT INTO stock_position (partition, next_offset)
SELECT partition, next_offset FROM unnest($1::text[], $2::bigint[]) AS i (partition, next_offset) ORDER BY partition
ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset

-- name: positions
SELECT partition, next_offset FROM stock_position WHERE partition = ANY ($1::text[])

-- Orders of these stores that may be sold and are in no reservation yet: they wait to become canonical. What has
-- waited for longer than $2 is for a person, and does not stop everything else.
-- name: pending
SELECT EXISTS (
    SELECT FROM pending_delivery
    WHERE connection = ANY ($1::text[]) AND received_at > clock_timestamp() - $2::interval) AS pending

-- ---- figures -------------------------------------------------------------------------------------------------------

-- For each warehouse of these SKUs: what the ERP says, and what is sold and not in that figure yet.
-- name: figures
SELECT l.sku, l.warehouse, l.available, l.on_hand, l.read_seq, l.read_at, coalesce(r.reserved, 0) AS reserved
FROM stock_level l
LEFT JOIN LATERAL (
    SELECT sum(r.quantity) AS reserved FROM reservation r
    WHERE r.erp = l.erp AND r.sku = l.sku AND r.warehouse = l.warehouse AND r.quantity > 0
      AND coalesce(r.taken_seq, 9223372036854775807) > l.read_seq
) r ON true
WHERE l.erp = $1 AND l.sku = ANY ($2::text[])

-- ---- touches and wishes --------------------------------------------------------------------------------------------

-- SKUs to look at, each for as long as $4 in nobody else's hands.
-- name: claim_touches
UPDATE stock_touch t SET due_at = clock_timestamp() + $4::interval
FROM (
    SELECT sku FROM stock_touch
    WHERE erp = $1 AND store = $2 AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
) d
WHERE t.erp = $1 AND t.store = $2 AND t.sku = d.sku
RETURNING t.sku, t.version

-- Looked at, unless touched again meanwhile.
-- name: drop_touches
DELETE FROM stock_touch t USING unnest($3::text[], $4::bigint[]) AS i (sku, version)
WHERE t.erp = $1 AND t.store = $2 AND t.sku = i.sku AND t.version = i.version

-- Look again in a while.
-- name: later_touches
UPDATE stock_touch t SET due_at = least(t.due_at, clock_timestamp() + $4::interval)
FROM unnest($3::text[]) AS i (sku) WHERE t.erp = $1 AND t.store = $2 AND t.sku = i.sku

-- Shelves of the store $1 whose figure was not set.
-- name: touch_shelf
INSERT INTO stock_touch (erp, store, sku)
SELECT DISTINCT s.erp, s.store, s.sku FROM stock_shelf s WHERE s.store = $1 AND s.sku = ANY ($2::text[])
ORDER BY s.erp, s.store, s.sku
ON CONFLICT (erp, store, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()

-- Shelves of the store $1 whose figure was set just now, while somebody looks at them, or since somebody did: what was
-- seen then may be from before. A look has its touch until it ends, and finds it is another one by then.
-- name: touch_overtaken
INSERT INTO stock_touch (erp, store, sku)
SELECT DISTINCT s.erp, s.store, s.sku FROM stock_shelf s
LEFT JOIN stock_touch t USING (erp, store, sku)
WHERE s.store = $1 AND s.sku = ANY ($2::text[]) AND (t.sku IS NOT NULL OR s.looked_at > s.decided_at)
ORDER BY s.erp, s.store, s.sku
ON CONFLICT (erp, store, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()

-- The slow round: shelves that nobody looked at for so long.
-- name: touch_idle
INSERT INTO stock_touch (erp, store, sku)
SELECT DISTINCT erp, store, sku FROM (
    SELECT erp, store, sku FROM stock_shelf
    WHERE erp = $1 AND store = $2 AND looked_at < clock_timestamp() - $3::interval
    ORDER BY looked_at LIMIT $4
) idle ORDER BY erp, store, sku
ON CONFLICT (erp, store, sku) DO NOTHING

-- name: claim_wishes
UPDATE stock_wish w SET due_at = clock_timestamp() + $3::interval
FROM (
    SELECT sku FROM stock_wish WHERE erp = $1 AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
) d
WHERE w.erp = $1 AND w.sku = d.sku
RETURNING w.sku, w.version

-- name: drop_wishes
DELETE FROM stock_wish w USING unnest($2::text[], $3::bigint[]) AS i (sku, version)
WHERE w.erp = $1 AND w.sku = i.sku AND w.version = i.version

-- name: wish
INSERT INTO stock_wish (erp, sku)
SELECT DISTINCT $1, i.sku FROM unnest($2::text[]) AS i (sku) ORDER BY 2
ON CONFLICT (erp, sku) DO UPDATE SET version = nextval('stock_version'), due_at = clock_timestamp()

-- ---- shelves -------------------------------------------------------------------------------------------------------

-- What the store shows now.
-- name: looked
INSERT INTO stock_shelf (store, location, sku, erp, shown, why, wrong)
SELECT $1, i.location, i.sku, $2, i.shown, i.why, i.wrong
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::boolean[]) AS i (location, sku, shown, why, wrong)
ORDER BY i.location, i.sku
ON CONFLICT (store, location, sku) DO UPDATE SET
    erp = excluded.erp, shown = excluded.shown, why = excluded.why, wrong = excluded.wrong,
    looked_at = clock_timestamp()

-- A decision each: its revision in the shelf's lane.
-- name: decide
UPDATE stock_shelf s SET revision = s.revision + 1, decided = i.quantity, decided_at = clock_timestamp()
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS i (location, sku, quantity)
WHERE s.store = $1 AND s.location = i.location AND s.sku = i.sku
RETURNING s.location, s.sku, s.revision

-- For the gauges: negative figures, shelves where a person has to look, SKUs to be looked at and to be read.
-- name: counts
SELECT 'negative' AS what, erp, '' AS store, count(*) AS number FROM stock_level WHERE available < 0 GROUP BY erp
UNION ALL SELECT 'wrong', erp, store, count(*) FROM stock_shelf WHERE wrong GROUP BY erp, store
UNION ALL SELECT 'touched', erp, store, count(*) FROM stock_touch GROUP BY erp, store
UNION ALL SELECT 'wished', erp, '', count(*) FROM stock_wish GROUP BY erp

-- A page of shelves with the ERP's figures of each of their warehouses, in the order of their keys.
-- name: shelves
SELECT s.store, s.location, s.sku, s.erp, s.shown, s.decided, s.decided_at, s.looked_at, s.why, s.wrong
FROM stock_shelf s
WHERE ($1 = '' OR s.store = $1) AND ($2 = '' OR s.sku = $2)
  AND ($3::text IS NULL OR (s.store, s.sku, s.location) > ($3, $4, $5))
ORDER BY s.store, s.sku, s.location
LIMIT $6
