-- Dates of sources are whole seconds: a second change within one leaves no trace. A date is settled once a read that
-- began after its second had passed showed it; then its object is known, as long as a list shows the same date.
ALTER TABLE source_object ADD COLUMN dated_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE source_object ADD COLUMN settled boolean NOT NULL DEFAULT false;
