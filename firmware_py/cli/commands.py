"""The commands. Each imports what it needs when it runs: `nucuoi --help` must not pay for Flask."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from firmware_py.cli.options import config_option, data_option, load_or_exit, site_file
from firmware_py.core.errors import JournalError, NuCuoiError
from firmware_py.folder import data_folder

READY_DEADLINE_S = 60.0
NOT_FOR_OTHERS = 0o027  # files of a node and of a city are for their own user and group


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("nucuoi"), prog_name="nucuoi")
def nucuoi() -> None:
    """Nụ Cười: the device controller of a ward's public administrative service centre."""


@nucuoi.command()
@config_option
@data_option
@click.option("--host", help="Listen here instead of [api] host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen here instead of [api] port; 0 takes a free one.")
@click.option(
    "--receiver-port", type=click.IntRange(0, 65535), help="The embedded city's port. Without it: the node's + 1."
)
@click.option("--verbose", is_flag=True, help="Log more.")
def run(
    config_file: Path | None,
    data_dir: Path | None,
    host: str | None,
    port: int | None,
    receiver_port: int | None,
    *,
    verbose: bool,
) -> None:
    """Run a node. Prints `ready http://...` when presses are taken."""
    from pydantic import ValidationError  # noqa: PLC0415

    from config.problems import ConfigError  # noqa: PLC0415
    from config.secrets import read_secrets  # noqa: PLC0415
    from config.settings import ApiSettings  # noqa: PLC0415
    from firmware_py import logs  # noqa: PLC0415

    logs.set_up(verbose=verbose)
    os.umask(NOT_FOR_OTHERS)
    path = site_file(config_file)
    settings = load_or_exit(path)
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    try:
        api = ApiSettings.model_validate({**settings.api.model_dump(), **given})
    except ValidationError as error:
        raise click.UsageError(f"--host or --port: {error.errors()[0]['msg']}") from error
    settings = settings.model_copy(update={"api": api})
    try:
        secrets = read_secrets()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if receiver_port is None:
        receiver_port = settings.api.port + 1 if 0 < settings.api.port < 65535 else 0
    folder = data_folder(data_dir)
    click.echo(f"site file {path}, data in {folder}", err=True)
    _run(settings, folder, receiver_port, secrets)


def _run(settings: Any, folder: Path, receiver_port: int, secrets: Any) -> None:
    from firmware_py.app import NodeApp  # noqa: PLC0415
    from firmware_py.core import watchdog  # noqa: PLC0415

    try:
        node = NodeApp(settings, folder, receiver_port=receiver_port, secrets=secrets)
    except NuCuoiError as error:
        raise click.ClickException(str(error)) from error
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # a closed terminal is a stop like any other
        signal.signal(number, lambda got, _frame: node.request_stop(signal.Signals(got).name))
    try:
        node.start()
        if not node.wait_ready(READY_DEADLINE_S):
            raise click.ClickException(f"not ready: {node.ready() or 'the API does not answer'}")
        watchdog.notify("READY=1")
        click.echo(f"ready {node.url}")
        sys.stdout.flush()
        if settings.site.mode == "simulation":
            click.echo(f"open {node.url}/simulator in a browser; Ctrl-C stops", err=True)
        clean = node.run_until_stopped()
    except (JournalError, OSError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        node.stop()
    if not clean:
        raise SystemExit(os.EX_TEMPFAIL)  # systemd starts it anew


@nucuoi.group()
def config() -> None:
    """Look at a site file."""


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def config_check(file: Path | None) -> None:
    """Name every problem of a site file; exits 0, or 2 if there is one."""
    path = site_file(file)
    settings = load_or_exit(path)
    click.echo(f"{path}: good: {len(settings.counters)} counters, {len(settings.devices)} devices")


@config.command("show")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def config_show(file: Path | None) -> None:
    """Print what is in force, every default filled in, secrets masked."""
    from config.problems import ConfigError  # noqa: PLC0415
    from config.secrets import read_secrets  # noqa: PLC0415
    from config.show import show  # noqa: PLC0415

    settings = load_or_exit(site_file(file))
    try:
        click.echo(show(settings, read_secrets()), nl=False)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@nucuoi.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def devices(data_dir: Path | None, *, as_json: bool) -> None:
    """List the devices of the running node."""
    found = _ask(data_folder(data_dir), "/api/v1/devices")
    rows = found["devices"]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for row in rows:
        state = "available" if row["available"] else f"UNAVAILABLE  {row['reason']}"
        click.echo(f"{row['id']:<12} {row['kind']:<22} {row['counter'] or '-':<6} {state} {' '.join(row['faults'])}")
    if not rows:
        click.echo("no devices in the site file")


@nucuoi.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def outbox(data_dir: Path | None, *, as_json: bool) -> None:
    """What the city has not accepted yet."""
    figures = _ask(data_folder(data_dir), "/api/v1/outbox")
    if as_json:
        click.echo(json.dumps(figures))
        return
    age = "" if figures["oldest_age_s"] is None else f", the oldest for {figures['oldest_age_s']:.0f} s"
    click.echo(f"{figures['pending']} waiting{age}; {figures['rejected']} rejected by the city")
    click.echo(f"last accepted: {figures['last_accepted_at'] or 'never'}")


def _ask(folder: Path, path: str) -> Any:
    """GET from the running node over its local socket."""
    from local_api.socket_client import get  # noqa: PLC0415

    try:
        status, answer = get(folder, path)
    except NuCuoiError as error:
        raise click.ClickException(str(error)) from error
    if status != 200:
        raise click.ClickException(f"the node answered {status}: {answer}")
    return answer


database_option = click.option(
    "--database",
    default="sqlite:///city.db",
    show_default=True,
    envvar="NUCUOI_RECEIVER_DATABASE",  # what stands on a command line is seen by everybody on the machine
    help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
)


@nucuoi.group(invoke_without_command=True)
@database_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True)
@click.option("--open-scoreboard", is_flag=True, help="This computer reads the scoreboard without a token: for trials.")
@click.option("--exit-with-parent", is_flag=True, hidden=True)
@click.pass_context
def receiver(
    context: click.Context, database: str, host: str, port: int, *, open_scoreboard: bool, exit_with_parent: bool
) -> None:
    """Run the reference city scoring server; with a command, look after its database."""
    from firmware_py import logs  # noqa: PLC0415

    logs.set_up()
    os.umask(NOT_FOR_OTHERS)
    if context.invoked_subcommand is not None:
        return
    from sync.receiver.server import serve  # noqa: PLC0415

    try:
        serve(
            database,
            host,
            port,
            environ=os.environ,
            open_scoreboard=open_scoreboard,
            exit_with_parent=exit_with_parent,
        )
    except (OSError, ValueError, NuCuoiError) as error:
        raise click.ClickException(str(error)) from error


@receiver.command("renew-store")
@database_option
def receiver_renew_store(database: str) -> None:
    """Make every node send everything again: after a restore that the receiver cannot notice by itself."""
    from sync.receiver.upkeep import renew  # noqa: PLC0415

    try:
        store = renew(database)
    except NuCuoiError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"new store id {store}: every node sends everything again")


@receiver.command("seal")
@click.argument("month")
@database_option
@click.option("--drop", is_flag=True, help="Drop the buckets of the months before; the totals of all time keep them.")
def receiver_seal(month: str, database: str, *, drop: bool) -> None:
    """Take nothing new any more for hours before MONTH (2026-01, in UTC). It cannot be taken back."""
    from sync.receiver.upkeep import seal_months  # noqa: PLC0415

    try:
        dropped = seal_months(database, month, drop=drop)
    except (ValueError, NuCuoiError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"sealed before {month}" + (f"; dropped: {', '.join(dropped) or 'nothing was there'}" if drop else ""))


@nucuoi.group()
def journal() -> None:
    """Look at a node's journal."""


@journal.command("verify")
@data_option
@config_option
def journal_verify(data_dir: Path | None, config_file: Path | None) -> int:
    """Check the hash chain, and that the buckets equal the events; exits 0, or 1 and says where not."""
    from config.opening import OpeningHours  # noqa: PLC0415
    from firmware_py.app import node_features  # noqa: PLC0415
    from firmware_py.core.journal.schema import FILE_NAME  # noqa: PLC0415
    from firmware_py.core.journal.verify import verify  # noqa: PLC0415

    settings = load_or_exit(site_file(config_file))
    path = data_folder(data_dir) / FILE_NAME
    try:
        verdict = verify(path, node_features(settings, OpeningHours(settings.site)), _progress())
    except NuCuoiError as error:
        raise click.ClickException(str(error)) from error
    for finding in verdict.findings:
        click.echo(f"{finding.where}: {finding.text}", err=True)
    good = not verdict.findings
    click.echo(
        f"{verdict.events} events, {verdict.buckets} buckets: "
        + ("the chain holds and the buckets equal the events" if good else f"{len(verdict.findings)} findings")
    )
    return 0 if good else 1


def _progress() -> Any:
    """A line that counts on a terminal; silence elsewhere."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {total} events", nl=done == total, err=True)

    return show
