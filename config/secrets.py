"""Secrets: from a systemd credential or the environment, never from the site file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from config.problems import ConfigError, Problem

SHORTEST_PULL_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Secrets:
    """A node's secrets; None where one is not given."""

    city_token: SecretStr | None = None
    pull_token: SecretStr | None = None


def read_secrets(environ: Mapping[str, str] = os.environ) -> Secrets:
    """All of them.

    Raises:
        ConfigError: see each.
    """
    return Secrets(city_token(environ), pull_token(environ))


def city_token(environ: Mapping[str, str] = os.environ) -> SecretStr | None:
    """The node's credential at the city (`city_token`, `NUCUOI_CITY_TOKEN`), or None where none is given.

    Raises:
        ConfigError: one is given and cannot be read, is empty, or cannot be sent as a bearer token.
    """
    return _secret("city_token", "NUCUOI_CITY_TOKEN", environ)


def pull_token(environ: Mapping[str, str] = os.environ) -> SecretStr | None:
    """What the city's machines send to read /metrics and the buckets (`pull_token`, `NUCUOI_PULL_TOKEN`), or None.

    Raises:
        ConfigError: as for `city_token`, or it is too short to be a secret.
    """
    token = _secret("pull_token", "NUCUOI_PULL_TOKEN", environ)
    if token is not None and len(token.get_secret_value()) < SHORTEST_PULL_TOKEN:
        raise _refused(
            "pull_token", f"is shorter than {SHORTEST_PULL_TOKEN} characters: whoever guesses it reads votes"
        )
    return token


def _secret(credential: str, variable: str, environ: Mapping[str, str]) -> SecretStr | None:
    """Systemd's credential (`$CREDENTIALS_DIRECTORY/CREDENTIAL`) goes before the variable."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        path = Path(folder) / credential
        try:
            return _token(path.read_bytes().decode("ascii", errors="replace"), str(path))
        except FileNotFoundError:
            pass  # the service was given other credentials only
        except OSError as error:
            text = f"cannot be read: {error.strerror}; check LoadCredential= in the service's unit"
            raise _refused(str(path), text) from None
    given = environ.get(variable)
    return None if given is None else _token(given, variable)


def _token(given: str, origin: str) -> SecretStr:
    token = given.strip()
    if not token:
        raise _refused(origin, "is empty; give the token, or take it away")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise _refused(origin, "must be one word of printable ASCII characters")
    return SecretStr(token)


def _refused(origin: str, text: str) -> ConfigError:
    return ConfigError([Problem(key="", line=None, text=text, file=origin)])
