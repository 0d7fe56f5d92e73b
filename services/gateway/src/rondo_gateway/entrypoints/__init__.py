"""Where requests come in: routes, live streams, and their translation into use cases."""
