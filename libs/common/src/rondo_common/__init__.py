"""What every Rondo service shares: events, topics, the consumer loop, the directory."""
