"""`python -m reprocheck`."""

from reprocheck.cli import main

main()
