"""What the site of `docs/` is built by: its reference out of the commands and the schemas."""
