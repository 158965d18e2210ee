"""Flows: what crosses, one module each. A flow turns events into ledger rows and ledger heads into documents.

A new flow is a module here and a line in `table.py`, never a second engine.
"""
