"""What is said: splitting and normalising, also of text that is still arriving."""

from ttsops.text.split import PhraseSplitter, SentenceSplitter, split_phrases, split_sentences

__all__ = ["PhraseSplitter", "SentenceSplitter", "split_phrases", "split_sentences"]
