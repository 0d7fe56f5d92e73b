"""Where things come in: the topics, and questions over HTTP."""
