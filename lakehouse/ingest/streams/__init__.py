"""Topics: rows that come in as events, by a log of our own or by Kafka."""
