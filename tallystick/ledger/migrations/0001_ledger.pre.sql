-- The ledger. Natural keys; payloads apart, so that they can expire while the facts stay.
-- Lock order everywhere: source_object, lane, effect, binding; rows of one table in key order.

-- A part of a key in percent-encoding, and back: what `tallystick.canonical.keys` does, for joins.
CREATE FUNCTION key_part(part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN part COLLATE "C" ~ '^[A-Za-z0-9_.~-]*$' THEN part ELSE (
        SELECT string_agg(CASE WHEN c COLLATE "C" ~ '^[A-Za-z0-9_.~-]$' THEN c
            ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') END, '' ORDER BY n)
        FROM regexp_split_to_table(part, '') WITH ORDINALITY AS t (c, n)) END
$$;
CREATE FUNCTION key_text(part text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN position('%' IN part) = 0 THEN part ELSE (
        SELECT convert_from(string_agg(CASE WHEN m[1] LIKE '\%__' THEN decode(substr(m[1], 2), 'hex')
            ELSE convert_to(m[1], 'UTF8') END, ''::bytea ORDER BY n), 'UTF8')
        FROM regexp_matches(part, '%[0-9A-F]{2}|[^%]+', 'g') WITH ORDINALITY AS t (m, n)) END
$$;

-- A connection is bound to the vendor's own identity at first start: under another shop every document would be new.
CREATE TABLE connection (
    id          text PRIMARY KEY,
    kind        text NOT NULL,
    identity    text NOT NULL,
    bound_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What a source holds, as far as we have seen it. Only `revision` is ever compared downstream.
CREATE TABLE source_object (
    connection          text NOT NULL,
    type                text NOT NULL,
    id                  text NOT NULL,
    revision            bigint NOT NULL,
    source_modified     timestamptz,
    content_hash        bytea NOT NULL,
    accepted_seq        bigint NOT NULL,
    published_revision  bigint NOT NULL DEFAULT 0,
    gone                boolean NOT NULL DEFAULT false,
    not_eligible        text,
    number              text NOT NULL DEFAULT '',
    -- The id of the order that a refund or a return is a part of.
    parent              text NOT NULL DEFAULT '',
    sightings           bigint NOT NULL DEFAULT 1,
    first_seen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection, type, id)
);
CREATE INDEX source_object_number ON source_object (connection, number);
-- Listings for people: newest first by what never changes, so that pages stay stable.
CREATE INDEX source_object_seen ON source_object (first_seen_at, connection, id) WHERE type = 'order';
CREATE INDEX source_object_not_eligible ON source_object (connection, not_eligible) WHERE not_eligible IS NOT NULL;
CREATE INDEX source_object_unpublished ON source_object (connection) WHERE published_revision < revision;

-- Orders reads and bodies of one object among all workers; drawn before a read is sent.
CREATE SEQUENCE accepted_seq;

-- What could not become canonical yet, or what Kafka did not take. The bytes are the store's own.
CREATE TABLE pending_delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection  text NOT NULL,
    object_key  text NOT NULL,
    raw         bytea NOT NULL,
    headers     jsonb NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL DEFAULT '',
    attempts    integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    due_at      timestamptz NOT NULL
);
CREATE INDEX pending_delivery_due ON pending_delivery (connection, due_at);

-- Everything that one target does for one order. Whoever holds the lease and the epoch is the only one who may send.
CREATE TABLE lane (
    target      text NOT NULL,
    lane_key    text NOT NULL,
    connection  text NOT NULL,
    epoch       bigint NOT NULL DEFAULT 0,
    owner       text,
    lease_until timestamptz,
    next_seq    bigint NOT NULL DEFAULT 1,
    -- NULL: nothing to do, or held (then `reason` says why and `held_seq` for which effect).
    due_at      timestamptz,
    reason      text,
    detail      text,
    held_seq    bigint,
    since       timestamptz,
    -- Until when a request of this lane that got no answer may still be applied.
    late_until  timestamptz,
    PRIMARY KEY (target, lane_key)
) WITH (fillfactor = 70);
CREATE INDEX lane_due ON lane (target, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lane_held ON lane (target, reason, lane_key) WHERE reason IS NOT NULL;

-- One business change in one target, at its place in its lane.
CREATE TABLE effect (
    target           text NOT NULL,
    lane_key         text NOT NULL,
    seq              bigint NOT NULL,
    entity_type      text NOT NULL,
    entity_id        text NOT NULL,
    operation        text NOT NULL,
    op_id            text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('STATE', 'DELTA')),
    revision         bigint NOT NULL,
    forced           boolean NOT NULL DEFAULT false,
    contract_version text,
    state            text NOT NULL CHECK (state IN
        ('QUEUED', 'IN_FLIGHT', 'IN_DOUBT', 'APPLIED', 'VERIFIED', 'SUPERSEDED', 'SKIPPED')),
    step             integer NOT NULL DEFAULT 0,
    -- Intents of the present step: a mark proves which revision landed, not which attempt.
    intents          integer NOT NULL DEFAULT 0,
    attempts         integer NOT NULL DEFAULT 0,
    flight_deadline  timestamptz,
    -- The present step, landing late, could undo newer content: its doubt makes newer revisions wait.
    may_undo         boolean NOT NULL DEFAULT true,
    -- The last time an intent of this effect ended without a definite answer; kept even when a person skips it.
    doubt_at         timestamptz,
    external_ref     text NOT NULL,
    -- The index of unfinished effects hangs on this and not on `state`, so that an intent moves no index entry.
    unfinished       boolean NOT NULL GENERATED ALWAYS AS (state IN ('QUEUED', 'IN_FLIGHT', 'IN_DOUBT')) STORED,
    -- The promised time was over before it was done, and that was counted: once, whoever counts and restarts.
    overdue          boolean NOT NULL DEFAULT false,
    -- Keys of the document lines that an intent carried, whether or not it landed.
    lines            jsonb,
    error            text,
    source_topic     text,
    source_partition integer,
    source_offset    bigint,
    received_at      timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_at       timestamptz,
    intent_at        timestamptz,
    settled_at       timestamptz,
    PRIMARY KEY (target, lane_key, seq),
    UNIQUE (target, lane_key, entity_type, entity_id, operation, op_id)
) WITH (fillfactor = 70);
CREATE INDEX effect_skipped ON effect (lane_key) WHERE state = 'SKIPPED';
CREATE INDEX effect_unfinished ON effect (target, lane_key) WHERE unfinished;

CREATE TABLE payload (
    target      text NOT NULL,
    lane_key    text NOT NULL,
    seq         bigint NOT NULL,
    body        bytea NOT NULL,
    stored_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, lane_key, seq)
);

-- Which document in the target an entity is, and what it last was made of.
CREATE TABLE binding (
    target           text NOT NULL,
    entity_type      text NOT NULL,
    entity_id        text NOT NULL,
    external_id      text NOT NULL,
    number           text NOT NULL DEFAULT '',
    applied_revision bigint,
    applied_mark     text,
    contract_version text,
    -- Keys of the document lines that were sent, so that a removed one can be set to 0.
    lines            jsonb NOT NULL DEFAULT '[]',
    adopted          boolean NOT NULL DEFAULT false,
    tombstone        boolean NOT NULL DEFAULT false,
    bound_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_at       timestamptz,
    PRIMARY KEY (target, entity_type, entity_id)
);
CREATE INDEX binding_adopted ON binding (entity_id) WHERE adopted;

-- Outcomes and human acts, append-only. A reader orders by (xid, id) below the oldest running transaction:
-- an id is given at insert and seen at commit, so a cursor over ids alone loses rows.
CREATE TABLE event (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    target      text NOT NULL,
    lane_key    text NOT NULL,
    seq         bigint,
    entity_type text,
    entity_id   text,
    revision    bigint,
    what        text NOT NULL,
    step        text,
    reason      text,
    detail      text,
    actor       text,
    request_id  text,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE INDEX event_lane ON event (target, lane_key, id);
CREATE INDEX event_order ON event (xid, id);

-- A target that is down is this one row, not ten thousand retries.
CREATE TABLE circuit (
    target      text PRIMARY KEY,
    open_until  timestamptz NOT NULL,
    failures    integer NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL DEFAULT ''
);

-- A route (connection -> target) that too many poisoned orders have paused, per reason.
CREATE TABLE pause (
    connection   text NOT NULL,
    target       text NOT NULL,
    reason       text NOT NULL,
    paused_until timestamptz NOT NULL,
    PRIMARY KEY (connection, target, reason)
);

-- Where a poller stands. The cursor is source time; it advances only to what a finished walk has covered.
CREATE TABLE poll_cursor (
    connection  text NOT NULL,
    flow        text NOT NULL,
    cursor_at   timestamptz NOT NULL,
    polled_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection, flow)
);

-- Long-running operations that people asked for; the same request id is the same operation.
CREATE TABLE operation (
    id          text PRIMARY KEY,
    request_id  text NOT NULL UNIQUE,
    what        text NOT NULL,
    arguments   jsonb NOT NULL,
    actor       text NOT NULL,
    note        text NOT NULL DEFAULT '',
    total       bigint NOT NULL DEFAULT 0,
    done        bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    problems    text[] NOT NULL DEFAULT '{}',
    -- The last order that was dealt with; what comes after it is still to do.
    position    text NOT NULL DEFAULT '',
    -- Tries at the part that comes next.
    attempts    integer NOT NULL DEFAULT 0,
    epoch       bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the next part may be taken: its taker moves it on by a lease. NULL when finished.
    due_at      timestamptz DEFAULT clock_timestamp(),
    finished_at timestamptz,
    cancelled   boolean NOT NULL DEFAULT false
);
CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;
