"""On the build machine a skip is a failure, on a laptop it is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPS_ONE_TEST = """
import pytest
def test_needs_something():
    pytest.skip("chromium is missing")
"""
SKIPS_THE_FILE = """
import pytest
pytest.skip("chromium is missing", allow_module_level=True)
"""
FAILS_AS_EXPECTED = """
import pytest
@pytest.mark.xfail(reason="known", strict=True)
def test_known():
    raise AssertionError
"""


def run_pytest(folder: Path, text: str, *, no_skip: bool) -> subprocess.CompletedProcess[str]:
    (folder / "test_inner.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NUCUOI_"))}
    environment |= {"PYTHONPATH": str(TESTS)} | ({"NUCUOI_NO_SKIP": "1"} if no_skip else {})
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull,
         "--rootdir", folder, folder],
        env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=folder,
    )  # fmt: skip


@pytest.mark.parametrize("text", [SKIPS_ONE_TEST, SKIPS_THE_FILE])
def test_a_skip_is_a_failure_with_its_reason_on_the_build_machine(tmp_path: Path, text: str) -> None:
    done = run_pytest(tmp_path, text, no_skip=True)
    assert done.returncode in (1, 2), done.stdout
    assert "chromium is missing (NUCUOI_NO_SKIP is set" in done.stdout


@pytest.mark.parametrize("text", [SKIPS_ONE_TEST, SKIPS_THE_FILE])
def test_a_skip_is_a_skip_on_a_laptop(tmp_path: Path, text: str) -> None:
    done = run_pytest(tmp_path, text, no_skip=False)
    assert "1 skipped" in done.stdout
    assert "failed" not in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, FAILS_AS_EXPECTED, no_skip=True)
    assert done.returncode == 0, done.stdout
