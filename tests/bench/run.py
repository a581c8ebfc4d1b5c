"""`make bench`: every figure a ratio against a floor of the same run. docs/performance.md explains the rows.

Nothing here fails because something is slow: the table says what is met and what is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # a checkout without an installation works too

import lamp  # noqa: E402 - after the path
import press  # noqa: E402
import scale  # noqa: E402
import slow  # noqa: E402
import start  # noqa: E402
import stream  # noqa: E402
from figures import Figure, as_json, table  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples; the figures wander more")
    parser.add_argument("--only", metavar="NAME", action="append", help="only this part; may be repeated")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures there too")
    arguments = parser.parse_args()
    parts = _parts(quick=arguments.quick)
    wanted = arguments.only or list(parts)
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        parser.error(f"no part named {', '.join(unknown)}; there are {', '.join(parts)}")
    figures: list[Figure] = []
    began_load = os.getloadavg()[0]
    failed: list[str] = []
    for name in wanted:
        _tell(f"{name} ...")
        try:
            figures += parts[name]()
        except Exception:  # noqa: BLE001 - minutes of figures must not go with the part that could not be measured
            traceback.print_exc()
            failed.append(name)
    print(table(figures))
    print(
        f"\n{os.cpu_count()} cores, load average {began_load:.1f} at the start and {os.getloadavg()[0]:.1f} at the end"
    )
    if arguments.json:
        arguments.json.write_text(as_json(figures) + "\n", encoding="utf-8")
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


def _parts(*, quick: bool) -> dict[str, Callable[[], list[Figure]]]:
    return {
        "press": lambda: press.press_figures(400 if quick else 2000, 3 if quick else 9, _tell),
        "lamp": lambda: lamp.lamp_figures(60 if quick else 200, _tell),
        "start": lambda: start.start_figures(3 if quick else 7, _tell),
        "memory": lambda: start.memory_figures(_tell),
        "stream": lambda: stream.stream_figures(2 if quick else 6, 100, _tell),
        "slow": lambda: slow.slow_figures(2 if quick else 4, 60 if quick else 240, _tell),
        "scale": lambda: scale.scale_figures(scale.QUICK if quick else scale.FULL, _tell),
    }


_BEGAN = time.monotonic()


def _tell(text: str) -> None:
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
