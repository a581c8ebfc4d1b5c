"""The city: the reference receiver as a process that lives through all cycles, and its scoreboard."""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from pathlib import Path
from typing import Any

from compare import Figures
from processes import Process

SITE, NODE = "crash", "hub"
READY_S = 30.0


class City:
    """`nucuoi receiver` on a free port, with a database in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_urlsafe(24)
        self.url = ""
        self._process = Process(
            [
                sys.executable,
                "-m",
                "firmware_py",
                "receiver",
                "--port",
                "0",
                "--database",
                f"sqlite:///{folder}/city.db",
                "--open-scoreboard",
            ],
            {"NUCUOI_RECEIVER_NODES": f"{SITE}/{NODE}={self.token}"},
            folder / "city.log",
        )

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            ProcessTrouble: it does not.
        """
        self._process.start()
        self.url = self._process.wait_ready(READY_S)

    def figures(self) -> Figures:
        """What it counts. Everything of a site in simulation mode is marked as simulated, and nothing may be else."""
        real, simulated = (self._ratings(simulated=flag) for flag in (False, True))
        if any(real["by_level"].values()) or real["corrected"] or real["excluded"]:
            raise AssertionError(f"the city counts presses of a simulation as real ones: {real}")
        return Figures(simulated["by_level"], simulated["corrected"], simulated["excluded"])

    def close(self) -> None:
        """End it; idempotent."""
        self._process.end()

    def _ratings(self, *, simulated: bool) -> dict[str, Any]:
        asked = f"{self.url}/v1/scoreboard?site={SITE}&simulated={str(simulated).lower()}"
        with urllib.request.urlopen(asked, timeout=10) as response:
            (site,) = json.load(response)["sites"]
        ratings: dict[str, Any] = site["ratings"]
        return ratings
