"""Where facts come in: the topics, and time."""
