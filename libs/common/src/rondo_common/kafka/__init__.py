"""Reading and writing the topics with every delivery promise Rondo makes."""
