-- Backfills: what may wait gives way, and a job knows what it has handed on.

-- Everything unfinished in this lane came by a backfill: whatever else is due in the target goes first.
ALTER TABLE lane ADD COLUMN yields boolean NOT NULL DEFAULT false;

-- Ids of orders that a backfill has let in and that may be unfinished in a ledger.
ALTER TABLE operation ADD COLUMN in_hand text[] NOT NULL DEFAULT '{}';

-- The part of a connection's request quota that a process may use, for a lease; all parts are at most 1.
CREATE TABLE quota_share (
    connection  text NOT NULL,
    owner       text NOT NULL,
    share       double precision NOT NULL,
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (connection, owner)
);
