-- What a source holds. Acceptance takes its rows first, in key order (`lock`), decides, and then writes in new
-- statements: under READ COMMITTED one statement for all of it would decide on rows older than its locks.

-- The rows of these objects, held until the end of the transaction.
-- name: lock
SELECT o.connection, o.type, o.id, o.revision, o.source_modified, o.content_hash, o.accepted_seq,
       o.published_revision, o.gone
FROM unnest($1::text[], $2::text[], $3::text[]) AS i (connection, type, id)
JOIN source_object o USING (connection, type, id)
ORDER BY o.connection, o.type, o.id
FOR UPDATE OF o

-- First sightings. An object that is missing from the answer was seen first by somebody else just now.
-- name: insert
INSERT INTO source_object (
    connection, type, id, revision, source_modified, content_hash, accepted_seq, gone, number, parent, sightings)
SELECT connection, type, id, 1, source_modified, content_hash, nextval('accepted_seq'), gone, number, parent, sightings
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[], $6::boolean[], $7::text[], $8::text[],
    $9::bigint[]
) AS i (connection, type, id, source_modified, content_hash, gone, number, parent, sightings)
ORDER BY connection, type, id
ON CONFLICT DO NOTHING
RETURNING connection, type, id

-- Accepted again: every acceptance draws a new number, also when the content is equal.
-- name: update
UPDATE source_object o SET
    revision = i.revision,
    source_modified = i.source_modified,
    content_hash = i.content_hash,
    accepted_seq = nextval('accepted_seq'),
    gone = i.gone,
    number = coalesce(nullif(i.number, ''), o.number),
    sightings = o.sightings + i.sightings,
    changed_at = CASE WHEN i.revision > o.revision THEN clock_timestamp() ELSE o.changed_at END,
    dated_at = CASE WHEN i.source_modified IS DISTINCT FROM o.source_modified THEN clock_timestamp()
                    ELSE o.dated_at END,
    settled = o.settled AND i.source_modified = o.source_modified AND i.content_hash = o.content_hash
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bytea[], $7::boolean[], $8::text[],
    $9::bigint[]
) AS i (connection, type, id, revision, source_modified, content_hash, gone, number, sightings)
WHERE o.connection = i.connection AND o.type = i.type AND o.id = i.id

-- These revisions are acknowledged by Kafka. Late news of an older revision changes nothing.
-- name: published
UPDATE source_object o SET published_revision = i.revision
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS i (connection, type, id, revision)
WHERE o.connection = i.connection AND o.type = i.type AND o.id = i.id AND o.published_revision < i.revision

-- Numbers for reads that are about to begin.
-- name: draw
SELECT nextval('accepted_seq') AS started FROM generate_series(1, $1::integer)

-- Accepted, but not known to be published: a process died between the two. A part counts for its order. What is too
-- large for the topics is left out: it waits in its own row, and reading it again and again would help nobody.
-- name: unpublished
SELECT DISTINCT CASE WHEN o.parent = '' THEN o.type ELSE 'order' END AS type, coalesce(nullif(o.parent, ''), o.id) AS id
FROM source_object o
WHERE o.connection = $1 AND o.published_revision < o.revision AND o.changed_at < clock_timestamp() - $2::interval
  AND NOT EXISTS (
      SELECT 1 FROM pending_delivery p
      WHERE p.connection = $1 AND p.reason = 'TOO_LARGE'
        AND p.object_key = $1 || '/' || coalesce(nullif(o.parent, ''), o.id)
  )
LIMIT $3

-- Parts of these orders that were there when they were last seen, or of whose end nobody knows. $1 connections, $2 ids of orders.
-- name: parts
SELECT p.connection, p.type, p.id, p.parent FROM unnest($1::text[], $2::text[]) AS i (connection, id)
JOIN source_object p ON p.connection = i.connection AND p.parent = i.id AND p.parent <> ''
WHERE NOT p.gone OR p.published_revision < p.revision

-- What is known of the dates of these objects: since when in seconds, and whether nothing can hide behind it.
-- name: dates
SELECT o.id, o.source_modified, o.settled,
       extract(epoch FROM clock_timestamp() - o.dated_at)::double precision AS for_s
FROM source_object o WHERE o.connection = $1 AND o.type = $2 AND o.id = ANY ($3::text[])

-- A read that began after the second of these dates had passed showed them.
-- name: settle
UPDATE source_object o SET settled = true
FROM unnest($3::text[], $4::timestamptz[]) AS i (id, source_modified)
WHERE o.connection = $1 AND o.type = $2 AND o.id = i.id AND o.source_modified = i.source_modified AND NOT o.settled
