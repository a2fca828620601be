"""By hand: one command, `ttsops`, one file per verb."""
