"""What the pages say is there: targets, links, words. And nothing of the machine it was written on."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest
from support.pages import DOCS, ROOT, pages, text_of, tracked_files

README = ROOT / "README.md"
CI = ROOT / ".ci" / "run"
#: DESIGN's table of words; the glossary may have more.
WORDS = (
    "Site", "Node", "Hub", "Counter", "Service", "Worker", "Ticket", "Rating", "Counter open", "Presence", "Announcement",
    "Zone", "Play-out", "Checklist run", "Device", "Kind", "Wire", "Panel", "Simulator", "Event", "Journal", "Series",
    "Bucket", "Outbox",
)  # fmt: skip
NAMED_TARGET = re.compile(r"(?:`|^ {4})make ([a-z]+)", re.MULTILINE)
NAMED_PAGE = re.compile(r"\bdocs/[a-z-]+\.md")
UNFINISHED = re.compile(r"@@\w*@@|^[A-Z_]{4,}$|\bTODO\b|\bFIXME\b|\bXXX\b|\bTBD\b", re.MULTILINE)
#: Home folders, workplaces and the addresses packages came from: none is true anywhere else.
PLACE = re.compile(
    r"(?<![\w./-])/(?:work|root|opt)/\w|(?<!\w)/home/(?!pi\b)\w"
    r"|pythonhosted|//pypi\.|registry\.npmjs|--(?:extra-)?index-url|--find-links"
)


def targets() -> Mapping[str, str]:
    """Every phony target but the inner ones, with its help."""
    makefile = text_of(ROOT / "Makefile")
    phony = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert phony
    helps = dict(re.findall(r"^([a-z]+):[^\n]*?## (.+)$", makefile, re.MULTILINE))
    return {name: helps.get(name, "") for name in phony[1].split() if "-" not in name}


def test_every_make_target_says_what_it_does() -> None:
    assert [name for name, text in targets().items() if len(text) < 20] == []
    shown = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert [name for name in targets() if f"make {name} " not in shown] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_targets_that_exist(page: Path) -> None:
    assert [name for name in NAMED_TARGET.findall(text_of(page)) if name not in targets()] == []


def test_the_readme_names_every_target() -> None:
    assert set(targets()) - set(NAMED_TARGET.findall(text_of(README))) == {"help"}  # `make` alone


def test_the_build_machine_runs_what_the_readme_says() -> None:
    lines = text_of(CI).splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test"]
    assert CI.stat().st_mode & 0o111


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_the_words_of_the_design(word: str) -> None:
    assert re.search(rf"^\| {word}(,[^|]*)? \|", text_of(DOCS / "glossary.md"), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can name, as the usual viewers make them from headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in pages():
        for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
            if re.match(r"[a-z]+:", link):
                continue
            place, _, anchor = unquote(link).partition("#")
            target = (page.parent / place).resolve() if place else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_pages_that_are_named_exist() -> None:
    named = [
        (path, name)
        for path in tracked_files()
        if path.suffix in {".md", ".py", ".toml"}
        for name in NAMED_PAGE.findall(text_of(path))
    ]
    assert named
    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_finished(page: Path) -> None:
    """No mark that somebody wanted to come back to."""
    assert UNFINISHED.findall(text_of(page)) == []


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert re.search(r"^## \[Unreleased\]$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked_files():
        if path == Path(__file__):
            continue
        try:
            lines = text_of(path).splitlines()
        except UnicodeDecodeError:
            continue  # fonts, compiled catalogs
        found += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if PLACE.search(line)
        ]
    assert found == []
