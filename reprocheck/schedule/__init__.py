"""The schedule: which runs are worth verifying again, and what their verifications say together."""
