"""Measured, not claimed: a module is a command that prints its figures and can keep them in `results/`."""
