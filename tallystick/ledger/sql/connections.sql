-- What each connection is bound to.
-- name: known
SELECT id, kind, identity FROM connection ORDER BY id

-- Bind a connection to the vendor's own identity; answers what it is bound to, which may be older than this call.
-- name: bind
INSERT INTO connection (id, kind, identity) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING identity

-- Let a connection go that was removed from the configuration on purpose.
-- name: forget
DELETE FROM connection WHERE id = $1 RETURNING id
