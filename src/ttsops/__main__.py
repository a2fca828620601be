"""`python -m ttsops` is the command `ttsops`."""

import sys

from ttsops.cli import main

if __name__ == "__main__":
    sys.exit(main())
