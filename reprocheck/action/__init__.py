"""What the GitHub action's steps do; the workflow files only call them."""
