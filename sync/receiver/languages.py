"""Vietnamese first, English on request: `?lang=en` switches and is remembered in a cookie.

The same rule as the hall's pages have. The texts in the code *are* the Vietnamese ones; `translations/en` holds the English.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_babel import Babel

from sync.receiver.problems import ProblemError

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
DEFAULT = "vi"
COOKIE = "city_lang"  # cookies do not tell ports apart: a simulated centre and its city may stand on one computer
_YEAR_S = 365 * 24 * 3600


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
        raise ProblemError(400, "argument", "`lang` is one of: " + ", ".join(LANGUAGES) + ".")
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
