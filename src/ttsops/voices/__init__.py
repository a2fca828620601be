"""Who says it: names, and which voice of an engine they mean."""
