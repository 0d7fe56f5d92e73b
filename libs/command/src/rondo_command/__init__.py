"""The ``rondo`` command line."""
