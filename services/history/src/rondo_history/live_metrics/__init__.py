"""Live metrics: what happens in each workspace, in windows of 10 s. A process of its own, on Faust.

Faust assigns the partitions, keeps the tables and restores them from their changelogs. What is counted
is pure (``rondo_history.domain.live_metrics``).
"""
