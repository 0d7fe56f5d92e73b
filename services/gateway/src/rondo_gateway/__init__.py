"""The gateway: the only public surface of Rondo. It asks, the router decides."""
