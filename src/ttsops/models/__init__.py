"""Which weights there are, where they are kept, whether they are whole, and what runs them."""
