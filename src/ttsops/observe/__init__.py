"""What happened: metrics, logs, traces."""
