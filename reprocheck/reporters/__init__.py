"""After the stages: reports from a `Report` alone."""
