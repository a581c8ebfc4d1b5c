"""What several commands take: the site file and the data folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config.loading import DEFAULT_FILE, load
from config.problems import ConfigError
from config.settings import Settings
from devices.kinds import settings_by_kind

EX_CONFIG = 2

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="NUCUOI_CONFIG",
    help="The site file (TOML). Without it: the complete simulated centre.",
)
data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder. Without it: $NUCUOI_DATA, $STATE_DIRECTORY, or ./var.",
)


def site_file(given: Path | None) -> Path:
    """The site file to use: the one that was named, else the simulated centre's."""
    return given or DEFAULT_FILE


def load_or_exit(path: Path) -> Settings:
    """The settings, or every problem on stderr and exit 2."""
    try:
        return load(path, settings_by_kind())
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        count = len(error.problems)
        click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was started", err=True)
        sys.stderr.flush()
        raise SystemExit(EX_CONFIG) from None
