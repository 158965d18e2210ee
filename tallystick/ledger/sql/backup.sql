-- A backup is every table of the ledger as rows, read in one snapshot; what is made anew by the database is left out.

-- Tables with the columns that are taken along, in an order that suits people. `event.xid` belongs to the server that
-- gave it; the restoring transaction gives its own. Generated columns are made anew.
-- name: tables
SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'schema_migration'
  AND NOT (c.relname = 'event' AND a.attname = 'xid')
GROUP BY c.relname ORDER BY c.relname

-- name: migrations
SELECT id FROM schema_migration ORDER BY id

-- name: sequences
SELECT sequencename::text AS name, coalesce(last_value, 0) AS last FROM pg_sequences
WHERE schemaname = current_schema() ORDER BY sequencename

-- Anything at all in the schema: only an empty database is restored into.
-- name: occupied
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p'))

-- name: set_sequence
SELECT setval($1::regclass, greatest($2::bigint, 1))

-- ---- after a restore -----------------------------------------------------------------------------------------------

-- Nothing of these routes is sent until a person lets them go: $1 connections, $2 targets.
-- name: stop
INSERT INTO pause (connection, target, reason, paused_until)
SELECT connection, target, 'RESTORED', clock_timestamp() + interval '100 years'
FROM unnest($1::text[], $2::text[]) AS r (connection, target)
ON CONFLICT (connection, target, reason) DO UPDATE SET paused_until = excluded.paused_until

-- No request of the time before is waited for, and nobody holds a lane any more.
-- name: free_lanes
UPDATE lane SET owner = NULL, lease_until = NULL, epoch = epoch + 1 WHERE owner IS NOT NULL

-- Look further back than the backup was old when it was taken.
-- name: poll_again
UPDATE poll_cursor SET cursor_at = cursor_at - $1::interval, polled_at = '-infinity'

-- Let the routes go. What is unfinished may have been sent after the backup: the target is asked about each first.
-- name: doubt
WITH released AS (
    DELETE FROM pause WHERE reason = 'RESTORED' RETURNING connection, target
), locked AS (
    SELECT l.target, l.lane_key FROM lane l JOIN released r ON r.target = l.target AND r.connection = l.connection
    WHERE l.due_at IS NOT NULL
    ORDER BY l.target, l.lane_key
    FOR UPDATE OF l
), doubted AS (
    UPDATE effect e SET state = 'IN_DOUBT', doubt_at = clock_timestamp()
    FROM locked l
    WHERE e.target = l.target AND e.lane_key = l.lane_key AND e.state IN ('QUEUED', 'IN_FLIGHT')
    RETURNING 1
)
SELECT (SELECT count(*) FROM released) AS routes, (SELECT count(*) FROM doubted) AS effects
