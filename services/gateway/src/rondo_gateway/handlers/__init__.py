"""The use cases of the public surface, over ports."""
