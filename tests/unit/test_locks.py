"""The locks hold what pyproject.toml asks for, each package with its hashes, and no address it came from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.pages import ROOT, text_of

PROJECT = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def locked(name: str) -> dict[str, Version]:
    found = re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", text_of(ROOT / name), re.MULTILINE)
    return {canonicalize_name(package): Version(version) for package, version in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_a_node_needs_and_what_builds_the_package(lock: str) -> None:
    versions = locked(lock)
    for text in [*PROJECT["dependencies"], *EXTRAS["build"]]:
        asked = Requirement(text)
        assert versions[canonicalize_name(asked.name)] in asked.specifier, f"{lock}: {text}; make lock"


def test_the_development_lock_holds_the_tools_too_and_agrees_with_the_other() -> None:
    tools, node = locked("requirements-dev.lock"), locked("requirements.lock")
    for text in EXTRAS["dev"]:
        asked = Requirement(text)
        assert tools[canonicalize_name(asked.name)] in asked.specifier, f"{text}; make lock"
    assert node.items() <= tools.items()


def test_no_real_hardware_library_is_needed_to_run_the_simulation() -> None:
    assert {"lgpio", "rpi-gpio", "pigpio"}.isdisjoint(locked("requirements-dev.lock"))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(lock: str) -> None:
    """One entry is `name==version` with its marker and hashes; anything else (an index, a URL) is not a lock's business."""
    text = text_of(ROOT / lock)
    for entry in text.replace("\\\n", " ").splitlines():
        assert re.fullmatch(r"[a-z0-9._-]+==[^ ;]+(?: ; [^-]+?)?\s+(?:--hash=sha256:[0-9a-f]{64}\s*)+", entry), entry[
            :90
        ]
