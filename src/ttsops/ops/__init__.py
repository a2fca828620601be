"""Proof: load, bench, gates and checks against a running server."""
