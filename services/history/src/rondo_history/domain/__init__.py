"""The history's rules, pure: which facts are kept, and how a transcript reads."""
