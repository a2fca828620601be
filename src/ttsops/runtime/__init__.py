"""Many listeners, one device: scheduler, worker, client, admission, breaker, supervisor."""
