-- The event log as a stream. A row's transaction id is given when it begins and seen when it commits, so rows are read
-- in the order (xid, id), and only below the oldest transaction that still runs.

-- Where "from now on" is: everything that is visible to this snapshot has been.
-- name: now
SELECT pg_snapshot_xmin(s)::text AS xid, s::text AS snapshot FROM pg_current_snapshot() AS s

-- Events after ($1, $2), without those that the snapshot $3 saw, at most $7. Every row says where the readable part
-- ends; when nothing matches there is one row with only that.
-- name: after
WITH bound AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid)
SELECT bound.xid::text AS bound, e.*
FROM bound LEFT JOIN LATERAL (
    SELECT v.xid::text AS xid, v.id, v.at, v.target, v.lane_key, v.what, v.entity_type, v.entity_id, v.revision,
        v.step, v.reason, v.detail, v.actor, v.request_id
    FROM event v
    WHERE (v.xid, v.id) > ($1::text::xid8, $2::bigint) AND v.xid < bound.xid
      AND NOT pg_visible_in_snapshot(v.xid, $3::text::pg_snapshot)
      AND coalesce(v.entity_type, '') NOT IN ('customer', 'price', 'stock', 'operation')
      AND ($4::text = '' OR v.lane_key = $4) AND ($5::text = '' OR starts_with(v.lane_key, $5))
      AND ($6::text = '' OR v.target = $6)
    ORDER BY v.xid, v.id LIMIT $7
) e ON true
ORDER BY e.xid::xid8, e.id
