"""VibeVoice-1.5B and VibeVoice-Large: long dialogues of up to four cloned voices."""
