"""How verifiable the runs of a tracker are."""
