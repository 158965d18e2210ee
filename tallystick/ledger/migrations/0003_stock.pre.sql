-- What each ERP says that it has, by our own number of the read: figures go only forwards by it.
CREATE TABLE stock_level (
    erp         text NOT NULL,
    sku         text NOT NULL,
    warehouse   text NOT NULL,
    available   numeric NOT NULL,
    on_hand     numeric NOT NULL,
    read_seq    bigint NOT NULL,
    read_at     timestamptz NOT NULL,
    PRIMARY KEY (erp, sku, warehouse)
);
CREATE INDEX stock_level_negative ON stock_level (erp) WHERE available < 0;

-- Which revision of an order its reservations are of, and which revision has taken its goods in the ERP. The row is
-- the lock for all reservations of its order.
CREATE TABLE stock_order (
    erp             text NOT NULL,
    order_key       text NOT NULL,
    revision        bigint NOT NULL,
    taken_revision  bigint NOT NULL DEFAULT 0,
    taken_seq       bigint,
    PRIMARY KEY (erp, order_key)
);

-- Pieces that a store has sold, by line; never a counter. A line that is gone stays with 0 pieces, so that its SKU is
-- read again when the ERP follows. `revision` is the one since which the line is as it is.
CREATE TABLE reservation (
    erp         text NOT NULL,
    order_key   text NOT NULL,
    line_id     text NOT NULL,
    sku         text NOT NULL,
    warehouse   text NOT NULL,
    quantity    numeric NOT NULL,
    revision    bigint NOT NULL,
    -- Drawn after the step that took the goods in the ERP: reads that began later have it in their figures.
    taken_seq   bigint,
    PRIMARY KEY (erp, order_key, line_id)
);
CREATE INDEX reservation_sku ON reservation (erp, sku, warehouse, (coalesce(taken_seq, 9223372036854775807)))
    WHERE quantity > 0;

CREATE SEQUENCE stock_version;

-- SKUs whose figure in a store may have changed. A row goes only with the version that was looked at.
CREATE TABLE stock_touch (
    erp         text NOT NULL,
    store       text NOT NULL,
    sku         text NOT NULL,
    version     bigint NOT NULL DEFAULT nextval('stock_version'),
    due_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (erp, store, sku)
);

-- SKUs that are to be read in their ERP; as above.
CREATE TABLE stock_wish (
    erp         text NOT NULL,
    sku         text NOT NULL,
    version     bigint NOT NULL DEFAULT nextval('stock_version'),
    due_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (erp, sku)
);

-- Up to where each partition of the orders is in the reservations.
CREATE TABLE stock_position (
    partition   text PRIMARY KEY,
    next_offset bigint NOT NULL
);

-- What a store shows on each shelf as far as we have seen it, and what we last decided.
CREATE TABLE stock_shelf (
    store       text NOT NULL,
    location    text NOT NULL,
    sku         text NOT NULL,
    erp         text NOT NULL,
    -- Counts our decisions.
    revision    bigint NOT NULL DEFAULT 0,
    decided     bigint,
    decided_at  timestamptz,
    shown       bigint,
    -- Why there is nothing to set there, in words; empty when there is.
    why         text NOT NULL DEFAULT '',
    wrong       boolean NOT NULL DEFAULT false,
    looked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, location, sku)
);
CREATE INDEX stock_shelf_looked ON stock_shelf (erp, store, looked_at);
