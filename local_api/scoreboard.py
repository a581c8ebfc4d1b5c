"""The city's own figures for this site, read from the city: shown next to the node's, never taken for them."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError

from firmware_py.core.errors import NuCuoiError

TIMEOUT_S = 1.5
FRESH_S = 0.5  # several open pages cost the city one call
MAX_ANSWER_BYTES = 256 * 1024


class CityUnreachableError(NuCuoiError, OSError):
    """The city gave no scoreboard; the text says why, in English for the log."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class CityRatings(_Answer):
    """The ratings of one site as the city counts them. `satisfaction_rate` (0 to 1) is None where n is 0.

    A count can be below zero for a moment, when a correction arrived before what it corrects.
    """

    n: int
    by_level: Mapping[int, int]
    satisfaction_rate: float | None
    corrected: int = 0
    excluded: Mapping[str, int] = {}


class CitySite(_Answer):
    """One site on the scoreboard; `data_age_s`: seconds since its newest batch, None before the first."""

    site: str
    ratings: CityRatings
    data_age_s: float | None


class _Scoreboard(_Answer):
    sites: tuple[CitySite, ...]


class CityScoreboard:
    """Asks the city for one site's figures, at most once in `FRESH_S`. Callable from any thread."""

    def __init__(self, site: str, *, simulated: bool) -> None:
        self._query = urlencode({"site": site, "simulated": str(simulated).lower()})
        self._site = site
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._found: CitySite | CityUnreachableError | None = None
        # No proxy from the environment: the city is asked directly, as the sync agent does.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def read(self, city_url: str) -> CitySite | None:
        """The site's figures; None when the city knows nothing of it yet.

        Raises:
            CityUnreachableError: no answer, or one that is no scoreboard.
        """
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at >= FRESH_S:
                try:
                    self._found = self._fetch(city_url)
                except CityUnreachableError as error:
                    self._found = error
                self._read_at = time.monotonic()
            if isinstance(self._found, CityUnreachableError):
                raise self._found
            return self._found

    def _fetch(self, city_url: str) -> CitySite | None:
        url = f"{city_url.rstrip('/')}/v1/scoreboard?{self._query}"
        if not url.startswith(("http://", "https://")):
            raise CityUnreachableError(f"the city's address is no http address: {city_url!r}")
        try:
            with self._open(url, timeout=TIMEOUT_S) as answer:
                document: Any = json.loads(answer.read(MAX_ANSWER_BYTES))
            sites = _Scoreboard.model_validate(document).sites
        except (OSError, urllib.error.URLError) as error:
            raise CityUnreachableError(f"no answer: {error}") from error
        except (ValueError, ValidationError) as error:
            raise CityUnreachableError(f"not a scoreboard: {error}") from error
        return next((site for site in sites if site.site == self._site), None)
