-- The request quota of a connection, shared by the processes that use it. Whoever divides it holds the rows of
-- `connection` first, so that two never take the same part.

-- name: lock
SELECT id FROM connection WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE

-- As much as is fair among those whose lease runs, this one included, and no more than nobody else has in hand.
-- name: divide
WITH others AS (
    SELECT c.connection, count(q.owner) AS owners, coalesce(sum(q.share), 0) AS taken
    FROM unnest($1::text[]) AS c (connection)
    LEFT JOIN quota_share q
        ON q.connection = c.connection AND q.owner <> $2 AND q.lease_until >= clock_timestamp()
    GROUP BY c.connection
)
INSERT INTO quota_share AS mine (connection, owner, share, lease_until)
SELECT connection, $2, greatest(0.0, least(1.0 / (owners + 1), 1.0 - taken)), clock_timestamp() + $3::interval
FROM others
ON CONFLICT (connection, owner) DO UPDATE SET share = excluded.share, lease_until = excluded.lease_until
RETURNING mine.connection, mine.share

-- name: forget_dead
DELETE FROM quota_share WHERE lease_until < clock_timestamp() - interval '1 hour'

-- name: give_back
DELETE FROM quota_share WHERE owner = $1
