"""The ways to an agent: one adapter a channel, behind :class:`rondo_notifier.ports.Channel`."""
