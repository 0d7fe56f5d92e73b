"""Rules of the public surface: who may do what, what is accepted, what is shown. Pure."""
