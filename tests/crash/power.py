"""The power-loss model: after a cut, a data folder holds what was synced, and of what was written later any part or none.

`shim.c`, preloaded into the node, keeps a copy of every file as it was at its last sync. Two kinds of cut:

    bare   nothing but the copies: what a power cut is sure to leave
    torn   of each file's sectors that were written after its last sync, a random half has reached the disk as well

A torn cut is what flash really does, and what SQLite's checksums are for; a bare one is the strictest test of durability.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

SHIM_SOURCE = Path(__file__).parent / "shim.c"
SECTOR_BYTES = 512
_COUNTS = struct.Struct("=QQ")


class NoCompiler(Exception):
    """The shim cannot be built."""


def build_shim(folder: Path) -> Path:
    """Compile the shim into `folder`.

    Raises:
        NoCompiler: there is no `cc`, or it fails; with what to do.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler(
            "the power-loss model needs a C compiler and found no cc: install Debian's gcc and libc6-dev, "
            "or run the SIGKILL part alone with --mode kill"
        )
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(SHIM_SOURCE), "-ldl"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise NoCompiler(f"cc cannot build {SHIM_SOURCE}:\n{built.stderr}")
    return library


class Disk:
    """A data folder and what of it is on the disk.

    Only processes with `environment` may write in the data folder: even opening a database recovers it, unseen.
    """

    def __init__(self, data: Path, disk: Path, shim: Path) -> None:
        self._data = data
        self._disk = disk
        self._shim = shim
        self._counts = disk.with_name(f"{disk.name}.counts")
        for folder in (data, disk):
            folder.mkdir(exist_ok=True)

    def environment(self) -> dict[str, str]:
        """What the node's environment needs, for its syncs to be seen."""
        return {
            "LD_PRELOAD": str(self._shim),
            "SHIM_DIR": str(self._data),
            "SHIM_OUT": str(self._disk),
            "SHIM_COUNTS": str(self._counts),
        }

    @property
    def syncs(self) -> int:
        """How many syncs of files in the data folder there were."""
        return int(_COUNTS.unpack(self._counts.read_bytes())[0]) if self._counts.exists() else 0

    def cut(self, torn: random.Random | None = None) -> None:
        """The power is cut, the node being dead: leave in the data folder what is on the disk, and only that."""
        left: dict[str, bytes] = {}
        for copy in self._disk.iterdir():
            if copy.name.startswith("."):
                copy.unlink()  # a copy that was being made
                continue
            synced, written = copy.read_bytes(), self._data / copy.name
            left[copy.name] = torn_content(synced, written.read_bytes(), torn) if torn and written.exists() else synced
        shutil.rmtree(self._data)
        self._data.mkdir()
        for name, content in left.items():
            for folder in (self._data, self._disk):
                (folder / name).write_bytes(content)


def torn_content(synced: bytes, written: bytes, rng: random.Random) -> bytes:
    """A file of which a random half of the sectors that were written after its last sync is on the disk.

    The length is metadata: it is that of either moment. A sector that was never written before reads as zeros.
    """
    length = rng.choice((len(synced), len(written)))
    sectors = []
    for start in range(0, length, SECTOR_BYTES):
        source = synced if rng.getrandbits(1) or start >= len(written) else written
        sectors.append(source[start : start + SECTOR_BYTES].ljust(SECTOR_BYTES, b"\0"))
    return b"".join(sectors)[:length]
