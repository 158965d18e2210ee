"""Reconciliation: what a source holds is compared with the ledger, and what the ledger says with its targets."""
