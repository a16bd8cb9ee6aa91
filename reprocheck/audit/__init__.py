"""How verifiable an experiment's history is: every run graded, and what concerns many of them."""
