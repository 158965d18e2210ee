"""Prices: what an ERP asks for a product, in the lists that a contract names."""
