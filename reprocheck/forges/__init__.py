"""Where code is hosted: one comment on a pull request or merge request, kept up to date."""
