"""F5-TTS v1 Base with Vocos: flow matching, and a voice from a few seconds of speech."""
