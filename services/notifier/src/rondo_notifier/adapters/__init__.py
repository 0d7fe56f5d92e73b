"""Mailboxes on Redis."""
