-- Adoption: documents that were in the target before us are bound to their orders, and never made.

-- What the ledger holds of these orders ($2) and of these documents ($3) already.
-- name: known
SELECT entity_id, external_id FROM binding
WHERE target = $1 AND entity_type = 'order' AND NOT tombstone
  AND (entity_id = ANY ($2::text[]) OR external_id = ANY ($3::text[]))
UNION ALL
SELECT lane_key, NULL FROM lane WHERE target = $1 AND lane_key = ANY ($2::text[])

-- Bind, unless meanwhile the order got a lane or the document another order, and tell the audit: $5 who, $6 by what.
-- name: adopt
WITH input AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) AS i (entity_id, external_id, number)
), bound AS (
    INSERT INTO binding (target, entity_type, entity_id, external_id, number, adopted)
    SELECT $1, 'order', i.entity_id, i.external_id, i.number, true
    FROM input i
    WHERE NOT EXISTS (SELECT FROM lane l WHERE l.target = $1 AND l.lane_key = i.entity_id)
      AND NOT EXISTS (SELECT FROM binding b WHERE b.target = $1 AND b.entity_type = 'order'
        AND b.external_id = i.external_id AND NOT b.tombstone)
    ORDER BY i.entity_id
    ON CONFLICT DO NOTHING
    RETURNING entity_id
)
INSERT INTO event (target, lane_key, entity_type, entity_id, what, detail, actor)
SELECT $1, entity_id, 'order', entity_id, 'adopted', $6, $5 FROM bound
RETURNING lane_key
