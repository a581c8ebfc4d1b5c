"""The city's token: where it comes from, and that a wrong one is told and never shown."""

import os
from pathlib import Path

import pytest

from config.problems import ConfigError
from config.secrets import city_token, pull_token


def credentials(folder: Path, content: bytes) -> dict[str, str]:
    (folder / "city_token").write_bytes(content)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def test_no_token_is_none() -> None:
    assert city_token({}) is None


def test_the_variable_is_taken_without_the_blanks_around() -> None:
    token = city_token({"NUCUOI_CITY_TOKEN": " abc\n"})
    assert token is not None
    assert token.get_secret_value() == "abc"
    assert "abc" not in f"{token!r} {token}"


def test_the_systemd_credential_goes_before_the_variable(tmp_path: Path) -> None:
    token = city_token({**credentials(tmp_path, b"from-systemd\n"), "NUCUOI_CITY_TOKEN": "from-variable"})
    assert token is not None
    assert token.get_secret_value() == "from-systemd"


def test_a_service_with_other_credentials_only_still_takes_the_variable(tmp_path: Path) -> None:
    token = city_token({"CREDENTIALS_DIRECTORY": str(tmp_path), "NUCUOI_CITY_TOKEN": "abc"})
    assert token is not None


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"a\nb", "phường".encode(), b"\xff", b"a\x00b"])
def test_a_token_that_cannot_be_sent_is_an_error_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError) as refused:
        city_token({**credentials(tmp_path, content), "NUCUOI_CITY_TOKEN": "never-instead"})
    assert str(tmp_path / "city_token") in str(refused.value)
    assert "two" not in str(refused.value)


def test_an_empty_variable_is_an_error() -> None:
    with pytest.raises(ConfigError, match="NUCUOI_CITY_TOKEN: is empty"):
        city_token({"NUCUOI_CITY_TOKEN": ""})


def test_a_credential_that_cannot_be_read_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "city_token").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        city_token({"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_the_process_environment_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("NUCUOI_CITY_TOKEN", "abc")
    assert os.environ["NUCUOI_CITY_TOKEN"] == "abc"
    token = city_token()
    assert token is not None
    assert token.get_secret_value() == "abc"


def test_the_pull_token_is_another_secret_of_its_own(tmp_path: Path) -> None:
    assert pull_token({"NUCUOI_CITY_TOKEN": "the-city-token-is-none"}) is None
    token = pull_token({"NUCUOI_PULL_TOKEN": "long-enough-to-be-one"})
    assert token is not None
    (tmp_path / "pull_token").write_text("from-systemd-16-chars\n")
    given = pull_token({"CREDENTIALS_DIRECTORY": str(tmp_path), "NUCUOI_PULL_TOKEN": "long-enough-to-be-one"})
    assert given is not None
    assert given.get_secret_value() == "from-systemd-16-chars"


def test_a_pull_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="shorter than 16"):
        pull_token({"NUCUOI_PULL_TOKEN": "secret"})
