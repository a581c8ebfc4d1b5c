"""`nucuoi` with another `synchronous` than FULL: what the power-loss model must catch. The first argument is its name."""

from __future__ import annotations

import sys

from firmware_py.cli import main
from firmware_py.core.journal import schema

if __name__ == "__main__":
    schema.SYNCHRONOUS = sys.argv.pop(1)
    main()
