"""The look's own rules: contrast that people with weak eyes can read, colours defined once, fonts with their licence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "local_api" / "static"
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


@pytest.mark.parametrize("sheet", [sheet.name for sheet in STATIC.glob("*.css") if sheet.name != "base.css"])
def test_colours_are_defined_once(sheet: str) -> None:
    text = (STATIC / sheet).read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", text)
    assert set(re.findall(r"var\(--([\w-]+)\)", text)) <= {*COLOURS, "round", "lamp"}


def test_the_font_comes_with_its_licence() -> None:
    assert "SIL Open Font License, Version 1.1" in (STATIC / "fonts" / "OFL.txt").read_text()
