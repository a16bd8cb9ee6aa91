"""Stage compare: judges the reruns. Pure: no files, no clock, no randomness of its own."""
