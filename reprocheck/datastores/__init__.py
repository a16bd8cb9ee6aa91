"""Stage restore: data stores."""
