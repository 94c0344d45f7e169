"""A verb declares its own options; its document and the common options are added to it."""

from typing import Annotated

import pytest
import typer
import yaml
from typer.testing import CliRunner

from mmray.cli.app import app
from mmray.cli.verb import Call, DocumentCall, document_verb, verb
from mmray.errors import ConfigError
from tests.support.document import make_document

COMMON = {"--json", "--quiet", "--verbose", "--debug"}
FEWER = {
    "schema": {"--json", "--debug"},
    "stop": COMMON - {"--json"},
    "ui": COMMON - {"--json"},
    "version": set(),
}
"""Verbs that have no use for all of the common options."""


def invoke(command, *words):
    small = typer.Typer()
    small.command()(command)
    return CliRunner().invoke(small, words)


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "pets.yaml"
    path.write_text(yaml.safe_dump(make_document(), sort_keys=False))
    return str(path)


def test_a_verb_gets_its_document_its_own_options_and_what_was_asked_of_all(document):
    heard = []

    @document_verb()
    def look(call: DocumentCall, name: Annotated[str, typer.Argument()], times: int = 1) -> None:
        heard.append((call.config.name, str(call.path), call.as_json, call.verbose, name, times))

    done = invoke(look, document, "text", "--set", "name=cats", "--times", "3", "--json", "-v")

    assert (done.exit_code, done.output) == (0, "")
    assert heard == [("cats", document, True, True, "text", 3)]


def test_an_error_of_a_verb_is_a_message_and_its_exit_code_and_with_debug_a_traceback():
    @verb()
    def fail(call: Call) -> None:
        raise ConfigError("no such thing", hint="name another")

    done = invoke(fail)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "error: no such thing\n  hint:  name another\n"
    assert isinstance(invoke(fail, "--debug").exception, ConfigError)


def test_an_option_that_a_verb_has_no_use_for_is_not_taken():
    @verb(without=("as_json",))
    def stop(call: Call) -> None:
        pass

    assert invoke(stop, "--json").exit_code == 2
    assert invoke(stop, "--quiet").exit_code == 0


def verbs():
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        yield from (
            ((f"{name} {inner}", each) for inner, each in command.commands.items())
            if hasattr(command, "commands")
            else [(name, command)]
        )


@pytest.mark.parametrize(("name", "command"), list(verbs()))
def test_every_verb_has_the_common_options(name, command):
    options = {option for parameter in command.params for option in parameter.opts}

    assert options & COMMON == FEWER.get(name, COMMON)
