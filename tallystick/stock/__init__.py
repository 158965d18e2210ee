"""Stock: what an ERP has, less what is sold and not booked there yet, is what stores may still sell."""
