"""The notifier's use cases: filling mailboxes, delivering webhooks."""
