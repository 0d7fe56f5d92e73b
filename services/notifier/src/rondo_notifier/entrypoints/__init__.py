"""Where facts come in: the topic of conversations."""
