"""Faithful doubles of the vendors' clouds, each with a fault script and a journal that is the truth for tests."""
