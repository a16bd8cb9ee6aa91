"""Stage rebuild: environments."""
