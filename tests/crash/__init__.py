"""Real worker processes on real Kafka and real Postgres, killed, frozen and cut off; the history tells what held."""
