"""The shape of the product: imports go one way, our names are ours alone, modules stay small, starting stays cheap."""

import statistics
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "firmware_py", "devices", "local_api", "sync")
LONGEST_MODULE_LINES = 400
MEDIAN_MODULE_LINES = 150
#: What no command line may pay for before it knows what it was asked: hardware, web servers, databases, calendars.
LATE = (
    "gpiozero", "lgpio", "serial", "flask", "flask_babel", "waitress", "sqlalchemy", "holidays", "requests",
    "prometheus_client",
)  # fmt: skip


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_imports_go_one_way() -> None:
    """The contracts stand in pyproject.toml; a broken one names the import.

    In a process of its own: the linter sets up logging for its process, and that silences every logger that exists.
    """
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_features_are_independent_of_each_other() -> None:
    """A feature that is not in the contract could import another unseen."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    listed = next(set(contract["modules"]) for contract in contracts if contract["type"] == "independence")
    folder = ROOT / "firmware_py" / "features"
    names = {path.stem if path.is_file() else path.name for path in folder.iterdir() if not path.name.startswith("__")}
    assert listed == {f"firmware_py.features.{name}" for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_our_package_names_are_claimed_by_us_alone(package: str) -> None:
    """The names are generic (a public distribution is called `config`): two of one name would hide each other's files."""
    assert set(packages_distributions().get(package, ())) <= {"nucuoi"}  # an editable install lists none at all


@pytest.mark.parametrize("package", PACKAGES)
def test_our_packages_are_those_of_this_folder(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {package}; print({package}.__file__)"],
        cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(done.stdout.strip()).parent == ROOT / package


@pytest.mark.parametrize("module", ["firmware_py.cli", "devices.kinds"])
def test_importing_costs_no_hardware_web_or_calendar_library(module: str) -> None:
    """A Zero 2 W feels each of them; and a laptop without lgpio must not notice that it is missing."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules, sep='\\n')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert module in loaded
    assert sorted(loaded.intersection(LATE)) == []


def test_a_node_that_nobody_scrapes_does_not_carry_what_scrapes_need() -> None:
    """0.1 s between power-on and the first page, and some MB."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, local_api.app; print(*sys.modules, sep='\\n')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "prometheus_client" not in done.stdout.split()


def test_no_module_is_long() -> None:
    """A module has one purpose and is read in one sitting."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_MODULE_LINES


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_gives_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
