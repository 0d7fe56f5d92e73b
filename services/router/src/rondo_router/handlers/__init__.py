"""The router's use cases: deciding, and finding its memory again."""
