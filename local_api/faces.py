"""The faces of the satisfaction scale: which mouth and which word each level has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask_babel import lazy_gettext

from firmware_py.look.faces import MOUTHS

WORDS = {
    1: lazy_gettext("Rất không hài lòng"),
    2: lazy_gettext("Không hài lòng"),
    3: lazy_gettext("Bình thường"),
    4: lazy_gettext("Hài lòng"),
    5: lazy_gettext("Rất hài lòng"),
}


@dataclass(frozen=True, slots=True)
class Face:
    """One answer: its level on the scale, the drawn mouth (1 to 5), and its word in the request's language."""

    level: int
    mouth: int
    word: str


Order = Literal["best_first", "worst_first"]


def faces(levels: int, order: Order = "best_first") -> list[Face]:
    """The faces of a scale, best first unless the site file says otherwise, as Vietnamese devices have them."""
    scale = [Face(level, mouth, str(WORDS[mouth])) for level, mouth in enumerate(MOUTHS[levels], start=1)]
    return scale if order == "worst_first" else scale[::-1]
