"""Customers' own revisions: what is read of them, and which key names them."""
