#!/usr/bin/env python3
"""`ttsops loadtest` under the name of a script; options are the same, `--help` lists them."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.execv(Path(__file__).with_name("ttsops.sh"), ["ttsops.sh", "loadtest", *sys.argv[1:]])
