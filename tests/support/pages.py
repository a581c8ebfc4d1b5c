"""The repository's pages, as the tests of the documentation read them."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def tracked_files() -> list[Path]:
    """What git knows; in a build machine's clone that another user owns, too."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def pages() -> list[Path]:
    """Every Markdown page."""
    return [path for path in tracked_files() if path.suffix == ".md"]


def text_of(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands between a heading and the next one of its level or above; empty if the heading is not there."""
    level = heading.index(" ")
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{level}}} |\Z)", page, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""
