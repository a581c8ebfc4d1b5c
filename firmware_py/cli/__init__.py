"""The command line. A wrong command line exits 64 (EX_USAGE); every command's own codes are in docs/cli.md."""

from __future__ import annotations

import sys

import click

EX_USAGE = 64
EX_INTERRUPTED = 130


def main() -> None:
    """The `nucuoi` script."""
    try:
        from firmware_py.cli.commands import nucuoi  # noqa: PLC0415 - so that Ctrl-C while importing is no traceback

        code = nucuoi(prog_name="nucuoi", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(EX_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EX_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
