"""The command line: one verb per stage, and some around them."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from mmray import __version__
from mmray.cli import jobs as cli_jobs
from mmray.cli.console import say
from mmray.cli.features import extract, features_app
from mmray.cli.search import search_verb
from mmray.cli.verb import Call, DocumentCall, document_verb, verb
from mmray.cli.workflow import Stage, stages_verb
from mmray.core.process.exit import end_without_search
from mmray.core.text.printable import printable_json

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# The first sentence of a help is at most 45 characters, or the list of verbs cuts it off.
STAGES = {
    "prepare": "Read, check and split the manifest.",
    "extract": "Turn payloads into features on Ray Data. Stored features are kept.",
    "train": "Train the fusion model on Ray Train. Resumes from the last checkpoint.",
    "search": "Search for a better document on Ray Tune. Prepares and extracts first. A space is "
    "optional: without one, a preset makes it. Writes the best trial's document, best.yaml.",
    "evaluate": "Evaluate fusion and each modality alone. Also writes the model bundle.",
}
OF_THEIR_OWN = {"extract": extract, "search": search_verb}
"""Stages with options of their own."""


def _load_stage(name: str) -> Stage:
    # Not above: 'mmray --help' must not load pandas and pyarrow.
    return import_module(f"mmray.stages.{name}").run


for _name, _help in STAGES.items():
    _stage = stages_verb(lambda name=_name: [_load_stage(name)])
    app.command(_name, help=_help)(OF_THEIR_OWN.get(_name, _stage))
app.add_typer(features_app, name="features")


@app.command()
@verb()
def predict(
    call: Call,
    bundle: Annotated[Path, typer.Argument(help="Folder of a model bundle, e.g. demo/model")],
    records: Annotated[Path, typer.Argument(help=".jsonl, .csv or .parquet with payload columns")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write .jsonl here, not to stdout.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder or URI prefix outside of the records' folder that paths may use."
        ),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code that the bundle's document names.")
    ] = False,
) -> None:
    """Predict from raw files with a model bundle."""
    from mmray.stages.prediction.predict import describe_prediction, predict_file

    report = predict_file(bundle, records, output, allow=allow or None, trust=trust)
    if call.as_json:
        typer.echo(printable_json(report, indent=2))
    elif output is None:
        for row in report["rows"]:
            typer.echo(printable_json(row))
        say(describe_prediction(report), err=True)
    else:
        say(f"{describe_prediction(report)}; in {output}")


@app.command()
@document_verb()
def check(
    call: DocumentCall,
    deep: Annotated[bool, typer.Option("--deep", help="Also decode every payload.")] = False,
) -> None:
    """Check document, manifest and environment.

    Starts nothing, writes nothing. Calls the 'custom' factories that the document names.
    """
    from mmray.config.reading.load import storable
    from mmray.inspection.check import check as check_all

    report = check_all(call.config, deep=deep)
    if call.verbose and not call.as_json:
        typer.echo(printable_json(storable(call.config), indent=2))
    call.print_report(report)


@app.command()
@verb()
def bench(
    call: Call,
    group: Annotated[str, typer.Argument(help="features, training or extraction")] = "features",
) -> None:
    """Run the benchmarks on this machine. mmray and the usual way take turns."""
    from mmray.inspection.bench import describe_benchmarks, run_benchmarks

    found = run_benchmarks(group)
    lines = [json.dumps(found, indent=2)] if call.as_json else describe_benchmarks(found)
    typer.echo("\n".join(lines))


@app.command()
@verb(without=("quiet", "verbose"))
def schema(
    call: Call,
    key: Annotated[str, typer.Argument(help="One key, e.g. modalities.audio.extract")] = "",
) -> None:
    """Print every key of the document. As JSON schema with --json, or when piped."""
    from mmray.config.document import Config
    from mmray.config.reading.reference import describe_keys

    if call.as_json or not (key or sys.stdout.isatty()):
        typer.echo(printable_json(Config.model_json_schema(), indent=2))
        return
    for line in describe_keys(key):
        say(line)


@app.command()
@verb()
def corpus(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Where to write it, e.g. demo/corpus")],
    samples: Annotated[int, typer.Option(help="Number of samples.")] = 1500,
    seed: Annotated[int, typer.Option(help="Random seed of the corpus.")] = 7,
) -> None:
    """Write the demo corpus. Digits written, spoken and described."""
    from dataclasses import asdict

    from mmray.data.demo_corpus.corpus import write_corpus

    summary = write_corpus(folder, samples=samples, seed=seed)
    typer.echo(
        json.dumps(asdict(summary), indent=2, default=str)
        if call.as_json
        else f"{summary.samples} samples in {summary.manifest}"
    )


@app.command()
@document_verb(without=("as_json",))
def ui(
    call: DocumentCall,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; by default 5000, or a free one.")
    ] = None,
) -> None:
    """Open the MLflow UI on this document's runs."""
    from mmray.tracking.ui import serve

    serve(call.config, host=host, port=port, chatty=call.verbose)


cli_jobs.add_to(app)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        version()
        raise typer.Exit


@app.callback()
def before_any_verb(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train models on text, images, audio, video and labels: laptop to Ray cluster."""


def main() -> None:
    """Entry point."""
    end_without_search()
    app()
