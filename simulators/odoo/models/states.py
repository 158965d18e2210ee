"""States of an order; 16 has one more for what is locked."""

STATES = (("draft", "Quotation"), ("sent", "Quotation Sent"), ("sale", "Sales Order"), ("cancel", "Cancelled"))
STATES_16 = (*STATES[:3], ("done", "Locked"), STATES[3])
