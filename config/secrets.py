"""Secrets: from a systemd credential or the environment, never from the site file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from config.problems import ConfigError, Problem

CITY_TOKEN_CREDENTIAL = "city_token"  # noqa: S105 - the credential's name, not the credential
CITY_TOKEN_VARIABLE = "NUCUOI_CITY_TOKEN"  # noqa: S105 - the variable's name


def city_token(environ: Mapping[str, str] = os.environ) -> SecretStr | None:
    """The node's credential at the city, or None where none is given.

    systemd's credential (`$CREDENTIALS_DIRECTORY/city_token`) goes before the variable `NUCUOI_CITY_TOKEN`.

    Raises:
        ConfigError: one is given and cannot be read, is empty, or cannot be sent as a bearer token.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        path = Path(folder) / CITY_TOKEN_CREDENTIAL
        try:
            return _token(path.read_bytes().decode("ascii", errors="replace"), str(path))
        except FileNotFoundError:
            pass  # the service was given other credentials only
        except OSError as error:
            text = f"cannot be read: {error.strerror}; check LoadCredential= in the service's unit"
            raise _refused(str(path), text) from None
    given = environ.get(CITY_TOKEN_VARIABLE)
    return None if given is None else _token(given, CITY_TOKEN_VARIABLE)


def _token(given: str, origin: str) -> SecretStr:
    token = given.strip()
    if not token:
        raise _refused(origin, "is empty; give the city's token, or take it away")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise _refused(origin, "must be one word of printable ASCII characters")
    return SecretStr(token)


def _refused(origin: str, text: str) -> ConfigError:
    return ConfigError([Problem(key="", line=None, text=text, file=origin)])
