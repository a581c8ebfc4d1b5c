"""The command line. A wrong command line exits 64 (EX_USAGE); every command's own codes are in docs/cli.md."""

from __future__ import annotations

import sys

import click

from firmware_py.cli.commands import nucuoi

EX_USAGE = 64


def main() -> None:
    """The `nucuoi` script."""
    try:
        code = nucuoi(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(EX_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
