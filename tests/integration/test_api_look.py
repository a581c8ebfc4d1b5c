"""The look's own rules: contrast that people with weak eyes can read, colours defined once, fonts with their licence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware_py.look import STATIC

ROOT = Path(__file__).parents[2]

SHEETS = [
    sheet
    for folder in (STATIC, STATIC / "charts", *(ROOT / app / "static" for app in ("local_api", "sync/receiver")))
    for sheet in folder.glob("*.css")
    if sheet.name != "uPlot.min.css"  # not ours
]
BASE = (STATIC / "base.css").read_text()
COLOURS = dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6});", BASE))

TEXT = 4.5  # WCAG 2.2 AA
SHAPE = 3.0


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(COLOURS[a]), luminance(COLOURS[b])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_the_known_one() -> None:
    COLOURS.update(black="#000000", white="#FFFFFF")
    assert contrast("black", "white") == pytest.approx(21)


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *((text, ground, TEXT) for text in ("ink", "quiet", "leaf", "clay") for ground in ("paper", "card")),
        ("ink", "leaf-soft", TEXT),
        ("ink", "clay-soft", TEXT),
        ("card", "leaf", TEXT),
        ("card", "quiet", TEXT),
        ("card", "night", 7.0),
        ("night-quiet", "night", TEXT),
        ("leaf", "leaf-soft", TEXT),
        ("clay", "clay-soft", TEXT),
        ("sage", "card", SHAPE),
        ("edge", "card", SHAPE),
        ("edge", "paper", SHAPE),
        *((f"level-{level}", "card", SHAPE) for level in range(1, 6)),
        *(("face-mark", f"level-{level}", SHAPE) for level in range(1, 6)),
    ],
)
def test_contrast(front: str, back: str, least: float) -> None:
    assert contrast(front, back) >= least


def test_the_levels_differ_in_lightness_or_hue_and_never_stand_alone() -> None:
    assert len({COLOURS[f"level-{level}"] for level in range(1, 6)}) == 5


@pytest.mark.parametrize("sheet", [sheet for sheet in SHEETS if sheet.name != "base.css"], ids=lambda sheet: sheet.name)
def test_colours_are_defined_once(sheet: Path) -> None:
    text = sheet.read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", text)
    # A sheet's own names are made of the shared ones: no colour is written there.
    defined = set(re.findall(r"--([\w-]+):", BASE + text))
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) <= defined


def test_the_charts_come_with_their_licence() -> None:
    assert "Permission is hereby granted, free of charge" in (STATIC / "charts" / "LICENSE.txt").read_text()


def test_the_font_comes_with_its_licence() -> None:
    assert "SIL Open Font License, Version 1.1" in (STATIC / "fonts" / "OFL.txt").read_text()
