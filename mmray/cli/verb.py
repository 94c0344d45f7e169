"""The common part of every verb: document, options, and exit.

A verb declares what is its own; ``verb`` or ``document_verb`` adds the rest to its signature.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args

import typer
from typer.models import ArgumentInfo

from mmray.cli.console import say, set_up_logging, user_errors
from mmray.core.report import Report
from mmray.core.text.printable import printable_json

if TYPE_CHECKING:
    from mmray.config.document import Config

Command: TypeAlias = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Call:
    """The common options of a verb."""

    as_json: bool
    verbose: bool


@dataclass(frozen=True, slots=True)
class DocumentCall(Call):
    """A call on a document."""

    path: Path
    config: "Config"

    def print_report(self, report: Report) -> None:
        """Print a report that is for standard output alone: as JSON, or sentence by sentence."""
        if self.as_json:
            typer.echo(printable_json(report.to_dict(), indent=2))
            return
        for sentence in report.found:
            say(sentence, self.path)
        if report.next_step:
            say(f"next: {report.next_step}", self.path)


_CONFIG = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="YAML document, e.g. workflows/configs/local.yaml")
]
_OVERRIDES = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace dotted.key; repeatable; the value is YAML."
    ),
]
_FLAGS = {
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON document.")
    ],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and the report.")],
    "verbose": Annotated[
        bool, typer.Option("--verbose", "-v", help="All log lines, libraries included.")
    ],
    "debug": Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
}


def verb(*, without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Return a function as a command; ``without`` are common options that it does not need."""

    def decorate(function: Command) -> Command:
        def command(
            as_json: bool = False,
            quiet: bool = False,
            verbose: bool = False,
            debug: bool = False,
            **own: Any,  # noqa: ANN401
        ) -> None:
            with user_errors(debug=debug):
                set_up_logging(quiet=quiet, verbose=verbose)
                function(Call(as_json=as_json, verbose=verbose), **own)

        arguments, options = _own_parameters(function)
        return _with_parameters(command, function, [*arguments, *options, *_flags(without)])

    return decorate


def document_verb(
    *, without: Collection[str] = (), settings: Mapping[str, str] | None = None
) -> Callable[[Command], Command]:
    """Return a function as a command on a document, called after the document is checked.

    ``settings`` are options that replace a key of the document: option -> dotted key.
    """
    keys = settings or {}

    def decorate(function: Command) -> Command:
        def command(
            config: Path,
            overrides: list[str] | None = None,
            as_json: bool = False,
            quiet: bool = False,
            verbose: bool = False,
            debug: bool = False,
            **own: Any,  # noqa: ANN401
        ) -> None:
            # Here and not above: 'mmray --help' must not load the document's sections.
            from mmray.config.reading.load import load_config

            with user_errors(debug=debug, config=config):
                replaced = [f"{keys[n]}={v}" for n, v in own.items() if n in keys and v is not None]
                loaded = load_config(config, [*(overrides or ()), *replaced])
                set_up_logging(quiet=quiet, verbose=verbose)
                function(DocumentCall(as_json, verbose, config, loaded), **own)

        arguments, options = _own_parameters(function)
        document = _parameter("config", _CONFIG, Parameter.empty)
        overrides = _parameter("overrides", _OVERRIDES, None)
        parameters = [document, *arguments, overrides, *options, *_flags(without)]
        return _with_parameters(command, function, parameters)

    return decorate


def _own_parameters(function: Command) -> tuple[list[Parameter], list[Parameter]]:
    """Return a verb's own arguments and options; the first parameter is the call."""
    _, *own = inspect.signature(function).parameters.values()
    own = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own]
    arguments = [p for p in own if any(isinstance(m, ArgumentInfo) for m in get_args(p.annotation))]
    return arguments, [parameter for parameter in own if parameter not in arguments]


def _flags(without: Collection[str]) -> list[Parameter]:
    return [_parameter(name, hint, False) for name, hint in _FLAGS.items() if name not in without]


def _parameter(name: str, annotation: object, default: object) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _with_parameters(command: Command, function: Command, parameters: list[Parameter]) -> Command:
    """Return the command with the name and words of the function, and these parameters."""
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__signature__ = Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return command
