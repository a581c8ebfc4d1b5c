"""Vietnamese first, English on request: `?lang=en` switches and is remembered in a cookie.

The texts in the code *are* the Vietnamese ones; `translations/en` holds the English. A browser's own preference is not
asked: the people of the hall read Vietnamese on computers that were set up in English.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_babel import Babel

from local_api.problems import ProblemError

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
DEFAULT = "vi"
COOKIE = "lang"
_YEAR_S = 365 * 24 * 3600


def mark(text: str) -> str:
    """Marks a text for translation where it stands; what is shown is its `gettext`, later."""
    return text


def chosen_language() -> str:
    """The language of this request.

    Raises:
        ProblemError: 400, `?lang=` names a language that this product does not speak.
    """
    asked = request.args.get("lang")
    if asked is None:
        kept = request.cookies.get(COOKIE, DEFAULT)
        return kept if kept in LANGUAGES else DEFAULT
    if asked not in LANGUAGES:
        raise ProblemError(400, "unknown_language", "Unknown language", "lang is one of: " + ", ".join(LANGUAGES))
    return asked


def speak(app: Flask) -> None:
    """Make `app` bilingual."""
    Babel(app, default_locale=DEFAULT, locale_selector=chosen_language)  # type: ignore[no-untyped-call]

    @app.after_request
    def remember(response: Response) -> Response:
        asked = request.args.get("lang")
        if asked in LANGUAGES and response.status_code < 400:
            response.set_cookie(COOKIE, asked, max_age=_YEAR_S, httponly=True, samesite="Lax")
        return response
