"""A test signal, not speech: paced like a model, to measure servers with and to break them."""
