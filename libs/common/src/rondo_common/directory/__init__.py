"""The directory: everything provisioned, as the compacted topic ``rondo.directory`` last defined it."""
