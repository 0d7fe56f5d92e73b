"""The switchboard on Redis, and the topics."""
