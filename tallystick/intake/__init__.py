"""From a delivery to a revision: the one door by which facts of a store come in (protocol section 3)."""
