-- Reconciliation: what sources, ledger and targets hold is compared in windows of source time, pass after pass.

-- The date of a change grows with the place of its row, so a summary of blocks finds a window; unlike a tree it costs
-- nothing at each sighting.
CREATE INDEX source_object_modified ON source_object
    USING brin (source_modified) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX source_object_parent ON source_object (connection, parent) WHERE parent <> '';

-- One pass over a span of one flow of one connection. Its position is durable; whoever takes it has it for a lease.
CREATE TABLE reconcile_run (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection  text NOT NULL,
    flow        text NOT NULL,
    -- 'recent' and 'whole' come round by themselves, 'asked' was wished by a person.
    depth       text NOT NULL,
    request_id  text UNIQUE,
    actor       text NOT NULL DEFAULT '',
    span_start  timestamptz NOT NULL,
    span_end    timestamptz NOT NULL,
    -- Everything before it is compared.
    position    timestamptz NOT NULL,
    window_s    double precision NOT NULL,
    -- Why a part of the pass was left out, in words; the last such.
    problem     text NOT NULL DEFAULT '',
    -- Why the next window has to wait.
    waits       text NOT NULL DEFAULT '',
    attempts    integer NOT NULL DEFAULT 0,
    epoch       bigint NOT NULL DEFAULT 0,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at      timestamptz DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE INDEX reconcile_run_due ON reconcile_run (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX reconcile_run_last ON reconcile_run (connection, flow, depth, started_at);

-- What a pass compared and found, by flow: refunds come along with their orders.
CREATE TABLE reconcile_tally (
    run_id  bigint NOT NULL REFERENCES reconcile_run ON DELETE CASCADE,
    flow    text NOT NULL,
    what    text NOT NULL,
    number  bigint NOT NULL,
    PRIMARY KEY (run_id, flow, what)
);
CREATE TABLE reconcile_finding (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id  bigint NOT NULL REFERENCES reconcile_run ON DELETE CASCADE,
    flow    text NOT NULL,
    what    text NOT NULL,
    name    text NOT NULL,
    target  text NOT NULL DEFAULT '',
    detail  text NOT NULL DEFAULT ''
);
CREATE INDEX reconcile_finding_run ON reconcile_finding (run_id, id);

-- Documents in a target beside the one that the ledger knows under the same reference; each is counted once.
CREATE TABLE duplicate_document (
    target        text NOT NULL,
    entity_type   text NOT NULL,
    external_ref  text NOT NULL,
    external_id   text NOT NULL,
    number        text NOT NULL DEFAULT '',
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, entity_type, external_ref, external_id)
);

-- When every webhook of a store was last seen active, and whether deliveries since then still have to be looked for.
CREATE TABLE webhook_watch (
    connection  text PRIMARY KEY,
    active_at   timestamptz NOT NULL,
    hole        boolean NOT NULL DEFAULT false,
    -- How often within a day they were found missing or disabled.
    times       integer NOT NULL DEFAULT 0,
    opened_at   timestamptz,
    lost_at     timestamptz
);
