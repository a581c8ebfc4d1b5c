"""docs/cli.md: every command with its options, and no page names a command that is not there."""

import re
from collections.abc import Iterator

import click
import pytest
from support.pages import DOCS, pages, section, text_of

from firmware_py.cli.commands import nucuoi

PAGE = text_of(DOCS / "cli.md")


def commands(group: click.Group, before: str = "nucuoi") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{before} {name}", command


ALL = dict(commands(nucuoi))


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_is_documented(name: str) -> None:
    described = section(PAGE, f"## `{name}`")
    assert described, f"docs/cli.md has no section for {name}"
    for parameter in ALL[name].params:
        if not isinstance(parameter, click.Option):
            assert (parameter.name or "").upper() in described
        elif not parameter.hidden:
            assert re.search(rf"^\| `{parameter.opts[0]}[ `]", described, re.MULTILINE), parameter.opts[0]


@pytest.mark.parametrize("name", ALL)
def test_no_documented_option_is_gone(name: str) -> None:
    described = set(re.findall(r"^\| `(--[a-z-]+)", section(PAGE, f"## `{name}`"), re.MULTILINE))
    assert described <= {option for parameter in ALL[name].params for option in parameter.opts}


def test_no_documented_command_is_gone() -> None:
    assert set(re.findall(r"^## `(nucuoi [a-z -]+)`$", PAGE, re.MULTILINE)) == set(ALL)


def test_pages_name_only_commands_that_exist() -> None:
    known = {tuple(name.split()) for name in ALL}
    for page in pages():
        for found in re.findall(r"(?:`|^ {4}|bin/)(nucuoi [a-z]+(?: [a-z-]+)?)", text_of(page), re.MULTILINE):
            words = tuple(found.split())
            assert words in known or words[:2] in known, f"{page.name}: {found}"


@pytest.mark.parametrize("name", ALL)
def test_every_command_explains_itself(name: str) -> None:
    command = ALL[name]
    assert len(command.help or "") > 20
    unexplained = [
        option.opts[0]
        for option in command.params
        if isinstance(option, click.Option) and not option.help and not option.show_default and not option.hidden
    ]
    assert unexplained == []
