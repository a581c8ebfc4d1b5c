"""`make crash`: does every acknowledged press reach the city, once, whenever the node is killed or the power is cut?

Exits 0 if so and if the power-loss model finds the losses of a relaxed node; 1 if not; 2 if a trial could not be run.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from kiosks import UnexpectedAnswer
from power import NoCompiler, build_shim
from processes import ProcessTrouble
from report import Report, findings, table
from trial import Settings, Trial

#: How SQLite can be told to promise less. OFF never syncs; NORMAL syncs at checkpoints, and keeps the database whole.
RELAXED = ("OFF", "NORMAL")
PROGRESS_EVERY = 10


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the trial's processes end with it
    print(f"seed {options.seed} (repeat the plan with --seed {options.seed})", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="nucuoi-crash-"))
    reports: list[Report] = []
    code = 2
    try:
        reports.extend(run_trial(settings, folder) for settings in trials(options, folder))
        code = 0 if all(report.as_it_must for report in reports) else 1
    except (ProcessTrouble, UnexpectedAnswer, NoCompiler) as error:
        print(f"the trial ends here: {error}", file=sys.stderr)
    finally:
        if code != 0 or options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)
    for line in chain(table(reports), *map(findings, reports)):
        print(line)
    return code


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=200, help="kills in each mode (200)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="repeats a plan")
    parser.add_argument("--mode", choices=("kill", "power", "both"), default="both", help="both: and then the bite")
    parser.add_argument(
        "--bite", action="store_true", help="only show that the model finds the losses of a relaxed node"
    )
    parser.add_argument("--bite-cycles", type=int, default=5, help="power cuts for each relaxed node (5)")
    parser.add_argument("--keep", action="store_true", help="keep the data folders even if all is well")
    options = parser.parse_args(arguments)
    if min(options.cycles, options.bite_cycles) < 1:
        parser.error("at least one cycle")
    return options


def trials(options: argparse.Namespace, folder: Path) -> Iterator[Settings]:
    """What is to be run, in order; the shim is built when the first trial needs it."""
    if options.mode in ("kill", "both") and not options.bite:
        yield Settings("kill", options.seed, options.cycles)
    if options.mode == "kill" and not options.bite:
        return
    shim = build_shim(folder)
    if not options.bite:
        yield Settings("power", options.seed, options.cycles, shim)
    if options.bite or options.mode == "both":
        for synchronous in RELAXED:
            yield Settings(f"bite {synchronous}", options.seed, options.bite_cycles, shim, synchronous)


def run_trial(settings: Settings, folder: Path) -> Report:
    """Run one trial in a folder of its own."""
    own = folder / settings.name.replace(" ", "-")
    own.mkdir()
    with Trial(settings, own) as trial:
        return trial.run(progress(settings))


def progress(settings: Settings) -> Callable[[int], None]:
    """A line now and then, with the time to go."""
    started_s = time.monotonic()

    def show(done: int) -> None:
        if done % PROGRESS_EVERY == 0 or done == settings.cycles:
            passed_s = time.monotonic() - started_s
            to_go_s = passed_s / done * (settings.cycles - done)
            print(
                f"{settings.name}: {done} of {settings.cycles} cycles, {passed_s:.0f} s, {to_go_s:.0f} s to go",
                flush=True,
            )

    return show


if __name__ == "__main__":
    sys.exit(main())
