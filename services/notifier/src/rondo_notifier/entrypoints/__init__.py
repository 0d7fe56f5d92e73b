"""Where facts come in: the topics of conversations and of agents."""
