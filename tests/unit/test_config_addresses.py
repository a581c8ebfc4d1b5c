"""Which addresses are this computer itself."""

import pytest

from config.addresses import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_is_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "city.example", "localhost.evil.example", "", "127.1", "[::1"]
)
def test_every_other_address_is_not(host: str) -> None:
    assert not is_loopback(host)
