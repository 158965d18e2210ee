"""The protocol as a machine that can be searched: every interleaving of its parts, within small bounds."""
