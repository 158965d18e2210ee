-- Records: what crosses beside orders and shelves is listed by when it became known, and found by its name. Orders and
-- shelves have lists of their own and are left out, so that nothing is added to the way of an order.
CREATE INDEX effect_record ON effect (target, entity_type, recorded_at)
    WHERE entity_type <> 'order' AND entity_type <> 'stock';
CREATE INDEX effect_record_name ON effect (entity_id) WHERE entity_type <> 'order' AND entity_type <> 'stock';
CREATE INDEX source_object_record ON source_object (connection, type, first_seen_at) WHERE type <> 'order';
