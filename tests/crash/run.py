"""`make crash`: does every acknowledged press reach the city, once, whenever the node is killed or the power is cut?

Exits 0 if so and if the power-loss model finds the losses of a relaxed node; 1 if not; 2 if a trial could not be run.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosks import UnexpectedAnswer
from power import NoCompiler, build_shim
from processes import ProcessTrouble
from trial import Report, Settings, Trial

#: How SQLite can be told to promise less. OFF never syncs; NORMAL syncs at checkpoints, and keeps the database whole.
RELAXED = ("OFF", "NORMAL")
PROGRESS_EVERY = 10
MOST_SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    options = parse(arguments)
    print(f"seed {options.seed} (repeat the plan with --seed {options.seed})", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="nucuoi-crash-"))
    reports: list[Report] = []
    failed = True
    try:
        for settings in trials(options, folder):
            reports.append(run_trial(settings, folder))
        failed = not all(good(report) for report in reports)
    except (ProcessTrouble, UnexpectedAnswer, NoCompiler) as error:
        print(f"the trial ends here: {error}", file=sys.stderr)
        return 2
    finally:
        if failed or options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)
    print("\n".join(table(reports)))
    for report in reports:
        print("\n".join(findings(report)))
    return int(failed)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=200, help="kills in each mode (200)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="repeats a plan")
    parser.add_argument("--mode", choices=("kill", "power", "both"), default="both", help="both: and then the bite")
    parser.add_argument("--bite", action="store_true", help="only show that the model finds the losses of a relaxed node")
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
            print(f"{settings.name}: {done} of {settings.cycles} cycles, {passed_s:.0f} s, {to_go_s:.0f} s to go", flush=True)

    return show


def good(report: Report) -> bool:
    """Whether a trial ended as it must: a relaxed node must have been caught losing."""
    return bool(report.verdict.lost) if report.name.startswith("bite") else report.good


def table(reports: list[Report]) -> Iterator[str]:
    """All trials, one line each."""
    head = ("trial", "kills", "unanswered", "durable", "presses", "http", "wire", "repeated", "counted", "corrected",
            "excluded", "lost", "doubled", "different", "syncs", "s/cycle", "verdict")  # fmt: skip
    rows = [head, *(_row(report) for report in reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def _row(report: Report) -> tuple[str, ...]:
    verdict, city = report.verdict, report.city
    figures = (
        report.cycles, report.kills_outstanding, report.kills_durable, report.presses_http + report.presses_wire,
        report.presses_http, report.presses_wire, report.replays, city.n, city.corrected, sum(city.excluded.values()),
        len(verdict.lost), len(verdict.doubled), len(verdict.different), report.syncs,
    )  # fmt: skip
    outcome = "as it must" if good(report) else "FAILED"
    return report.name, *(str(figure) for figure in figures), f"{report.seconds / report.cycles:.2f}", outcome


def findings(report: Report) -> Iterator[str]:
    """What is wrong, in words; of a relaxed node only that it was caught."""
    if report.name.startswith("bite"):
        yield f"{report.name}: " + ("caught, as it must be" if good(report) else "NOT CAUGHT: the model does not bite")
        return
    for name, found in (
        ("lost", report.verdict.lost),
        ("doubled", report.verdict.doubled),
        ("different", report.verdict.different),
        ("trouble", report.trouble),
    ):
        for text in found[:MOST_SHOWN]:
            yield f"{report.name}: {name}: {text}"
        if len(found) > MOST_SHOWN:
            yield f"{report.name}: {name}: and {len(found) - MOST_SHOWN} more"


if __name__ == "__main__":
    sys.exit(main())
