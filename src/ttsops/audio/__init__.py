"""What is heard: PCM arithmetic, encoders, resampling, checks, cross-fades, atomic files."""
