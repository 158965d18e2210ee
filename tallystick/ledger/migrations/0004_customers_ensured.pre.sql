-- Customers have revisions of their own now, from 1 on. What an order made sure of stands below them, else the first
-- revision of a customer would be taken for applied already.
UPDATE binding SET applied_revision = 0 WHERE entity_type = 'customer' AND applied_revision = 1;
UPDATE effect SET revision = 0 WHERE entity_type = 'customer' AND operation = 'ensure' AND unfinished;
