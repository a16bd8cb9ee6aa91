"""Stage read: experiment trackers."""
