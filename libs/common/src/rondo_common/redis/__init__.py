"""Redis (or Valkey): one place for connections, key names and functions."""
