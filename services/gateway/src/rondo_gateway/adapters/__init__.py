"""What the ports stand on: Kafka, Redis, history over HTTP, JSON Web Tokens."""
