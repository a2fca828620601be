"""What is said: splitting and normalising, also of text that is still arriving."""
