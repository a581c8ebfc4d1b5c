"""The node under test: its site file, its process, and what may be asked of it over HTTP and by its own commands."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from city import NODE, SITE
from panels import device_id
from processes import Process

RELAXED_NODE = Path(__file__).parent / "relaxed_node.py"
READY_S = 60.0
STOP_S = 30.0

_HEAD = f"""[site]
id = "{SITE}"
name = "Thử ngắt đột ngột"
mode = "simulation"

[[site.opening]]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
spans = ["00:00-24:00"]

[site.holidays]
country = ""

[node]
id = "{NODE}"

[clock]
trust = ["host"]

[city]
url = "%s"
send_every_s = 0.5
retry_max_s = 1
"""


@dataclass(frozen=True, slots=True)
class Centre:
    """What the site file says. `panels`: address on the line -> counter; `kiosk_counters` have no panel."""

    city_url: str
    line: str
    panels: Mapping[int, str]
    kiosk_counters: tuple[str, ...]

    def site_file(self) -> str:
        """As TOML."""
        text = _HEAD % self.city_url
        for counter in (*self.panels.values(), *self.kiosk_counters):
            text += f'\n[[counter]]\nid = "{counter}"\nname = "Quầy {counter}"\n'
        for address, counter in self.panels.items():
            text += (
                f'\n[[device]]\nid = "{device_id(address)}"\nkind = "rating_panel_serial"\n'
                f'wire = "{self.line}"\ncounter = "{counter}"\naddress = {address}\n'
            )
        return text


class Node(Process):
    """`nucuoi run` on a fixed port. `synchronous`: the relaxed setting that the power-loss model must catch, or None."""

    def __init__(
        self,
        folder: Path,
        centre: Centre,
        port: int,
        environment: Mapping[str, str],
        *,
        synchronous: str | None = None,
    ) -> None:
        self.port = port
        self.data = folder / "data"
        self._site = folder / "site.toml"
        self._site.write_text(centre.site_file(), encoding="utf-8")
        program = [str(RELAXED_NODE), synchronous] if synchronous else ["-m", "firmware_py"]
        run = ["run", "--config", str(self._site), "--data", str(self.data), "--port", str(port)]
        super().__init__([sys.executable, *program, *run], environment, folder / "node.log")

    def pending(self) -> int:
        """How many buckets the city has not accepted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/outbox", timeout=10) as response:
            return int(json.load(response)["pending"])

    def wait_sent(self, timeout_s: float) -> bool:
        """Wait until the city has accepted everything."""
        end_s = time.monotonic() + timeout_s
        while self.pending():
            if time.monotonic() > end_s:
                return False
            time.sleep(0.1)
        return True

    def verify(self) -> str | None:
        """`nucuoi journal verify` on the data folder: None if all is well, else what it said."""
        command = [sys.executable, "-m", "firmware_py", "journal", "verify"]
        said = subprocess.run(
            [*command, "--data", str(self.data), "--config", str(self._site)],
            capture_output=True,
            text=True,
            check=False,
        )
        return None if said.returncode == 0 else f"exit {said.returncode}: {said.stdout}{said.stderr}"
