"""A power cut while a new node makes its journal: at every single sync of it. The next start must find its way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from power import Disk, build_shim

TESTS = Path(__file__).parents[1]
JOURNAL = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from firmware_py.core.clock import SystemClock
from firmware_py.core.journal.writer import Journal
from support.features import Notes
Journal(Path(sys.argv[1]), SystemClock(), [Notes()]).close_readers()
"""


def make_journal(disk: Disk, kill_at: int | None = None) -> int:
    """Open the journal as a starting node does; the exit code."""
    environment = {**os.environ, **disk.environment()}
    if kill_at is not None:
        environment["SHIM_KILL_AT"] = str(kill_at)
    command = [sys.executable, "-c", JOURNAL, environment["SHIM_DIR"]]
    return subprocess.run(command, env=environment, check=False).returncode


@pytest.mark.crash
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (Debian: gcc, libc6-dev)")
def test_a_power_cut_at_any_sync_of_the_first_start_leaves_what_the_next_start_can_use(tmp_path: Path) -> None:
    shim = build_shim(tmp_path)
    whole = Disk(tmp_path / "whole", tmp_path / "whole-disk", shim)
    assert make_journal(whole) == 0
    assert whole.syncs > 3
    for sync in range(1, whole.syncs + 1):
        disk = Disk(tmp_path / f"data-{sync}", tmp_path / f"disk-{sync}", shim)
        assert make_journal(disk, kill_at=sync) == -signal.SIGKILL
        disk.cut()
        assert make_journal(disk) == 0, f"cut at sync {sync} of {whole.syncs}"
