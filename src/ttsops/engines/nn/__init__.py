"""Blocks of neural networks that several model families are built from: inference only, no hidden state."""
