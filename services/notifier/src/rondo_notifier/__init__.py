"""The notifier: puts what happens into the mailboxes of those it concerns, and rings."""
