"""Checks every engine passes, third-party ones too."""
