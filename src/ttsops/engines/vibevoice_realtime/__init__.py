"""VibeVoice-Realtime-0.5B: a language model and a diffusion head make 7.5 acoustic frames a second."""
