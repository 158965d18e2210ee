"""Doubles for tests only: the plain ERP, whose safety is a setting, and a store that is quiet."""
