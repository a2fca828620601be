"""The embedded voice: formant synthesis by espeak-ng, on any CPU, with nothing to download."""
