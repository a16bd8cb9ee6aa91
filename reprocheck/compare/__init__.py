"""Stage compare: judges the reruns against the original. Pure: no files, no clock, no randomness."""
