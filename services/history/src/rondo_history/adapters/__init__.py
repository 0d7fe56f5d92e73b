"""The archive in PostgreSQL."""
