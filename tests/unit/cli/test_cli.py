import json
import logging

import pytest
import typer
import yaml
from typer.testing import CliRunner

from mmray import __version__
from mmray.cli.app import STAGES, app
from mmray.cli.search import BUDGET
from mmray.cli.verb import document_verb
from mmray.core.process.lock import WORKSPACE_LOCK
from mmray.core.text.printable import printable_json
from tests.support.document import make_document, write_lines
from tests.support.process import run_python

ROWS = [
    {"sample_id": f"s{n}", "note": f"a {animal} {n}", "photo": None, "label": animal, "part": part}
    for n, (animal, part) in enumerate(
        [("cat", "train"), ("dog", "train"), ("cat", "val"), ("dog", "test")]
    )
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a document, a manifest and nothing else, to call mmray from."""
    document = make_document(
        workspace="work",
        data={"manifest": "manifest.jsonl", "split": {"column": "part"}},
        modalities={"text": {"column": "note"}, "image": {"column": "photo"}},
    )
    (tmp_path / "pets.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    write_lines(tmp_path / "manifest.jsonl", ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def own_logging():
    """Put back what a command changes in the logging of this process."""
    loggers = [logging.getLogger(name) for name in (None, "mmray", "alembic")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.level, logger.handlers = level, handlers


def call(*words):
    """Call mmray in this process."""
    return CliRunner().invoke(app, words)


def shell(*words):
    """Call mmray as a person does."""
    return run_python("-m", "mmray", *words)


def error_of(code, *words):
    """What a call that must fail with this exit code says."""
    done = call(*words)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert "Traceback" not in done.stderr
    return done.stderr


# --- the command itself ---------------------------------------------------------------------


def test_help_names_every_verb_and_loads_no_heavy_library(home):
    program = (
        "import sys\nfrom mmray.cli.app import app\n"
        "heavy = {'torch', 'ray', 'mlflow', 'pandas', 'numpy', 'pydantic'}\n"
        "try:\n    app(['--help'])\n"
        "finally:\n    print(heavy & set(sys.modules))"
    )

    done = run_python("-c", program)

    assert done.returncode == 0
    assert all(verb in done.stdout for verb in [*STAGES, "predict", "check", "submit", "corpus"])
    assert done.stdout.endswith("set()\n")


def test_python_m_mmray_prints_an_error_without_a_traceback_and_exits_with_its_code(home):
    done = shell("check", "pets.yaml", "--set", "train.epoch=3")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: unknown key 'train.epoch'\n"
        "  where: pets.yaml\n"
        "  hint:  did you mean 'train.epochs'?\n"
    )


def test_debug_shows_the_traceback_of_an_error(home):
    done = shell("check", "pets.yaml", "--set", "train.epoch=3", "--debug")

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "unknown key 'train.epoch'" in done.stderr


def test_an_unknown_verb_is_told():
    assert "No such command 'trian'" in error_of(2, "trian", "pets.yaml")


def test_without_a_verb_the_help_is_shown():
    assert "Usage: " in call().output


def test_version_and_schema_print_what_the_package_says():
    assert call("version").stdout == call("--version").stdout == f"{__version__}\n"
    assert json.loads(call("schema").stdout)["title"] == "Config"


# --- check ----------------------------------------------------------------------------------


def test_check_says_what_there_is_and_what_to_do_next_and_writes_nothing(home):
    before = sorted(home.rglob("*"))

    done = call("check", "pets.yaml")

    assert done.exit_code == 0, done.output
    assert "the document 'pets' is valid; 3 warnings below" in done.stdout
    assert "warning: animal: only 1 sample of test can be evaluated on" in done.stdout
    assert "4 samples: 2 train, 1 val, 1 test" in done.stdout
    assert "payloads: 4 text, 0 image" in done.stdout
    assert "text: tokens gives tokens (T<=128) of 8000, encoded by linear" in done.stdout
    assert done.stdout.endswith("next: python workflows/fusion.py pets.yaml\n")
    assert sorted(home.rglob("*")) == before


def test_check_says_that_files_are_not_there(home):
    rows = [row | {"photo": f"{number}.png"} for number, row in enumerate(ROWS)]
    for row in rows:
        (home / row["photo"]).write_bytes(b"x")
    write_lines(home / "manifest.jsonl", rows)
    assert "is valid; 3 warnings below" in call("check", "pets.yaml").stdout

    write_lines(home / "manifest.jsonl", [ROWS[0] | {"photo": "no.png"}, *rows[1:]])
    warned = call("check", "pets.yaml").stdout
    write_lines(home / "manifest.jsonl", [row | {"photo": "no.png"} for row in ROWS])

    assert "the document 'pets' is valid; 5 warnings below\n" in warned
    assert "warning: image: 1 of 4 files is absent, such as 'no.png'" in warned
    assert "complete" not in warned
    assert "image: 4 of 4 files are absent" in error_of(3, "check", "pets.yaml")
    assert "warning: image: 4 of 4 files are absent" in call("prepare", "pets.yaml", *DRY).stderr


def test_a_deep_check_decodes_every_payload_and_writes_nothing(home):
    before = sorted(home.rglob("*"))

    done = call("check", "pets.yaml", "--deep")

    assert done.exit_code == 0, done.output
    assert "text      text    4         decoded  s0\n" in done.stdout
    assert sorted(home.rglob("*")) == before


def test_check_as_json_is_one_document_on_standard_output(home):
    report = json.loads(call("check", "pets.yaml", "--json").stdout)

    assert report["stage"] == "check"
    assert report["counts"]["splits"] == {"train": 2, "val": 1, "test": 1}
    assert report["counts"]["features"]["text"]["vocabulary"] == 8000
    assert report["skipped"] is False


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([*ROWS, ROWS[0]], "sample_id 's0' appears twice\n  where: manifest.jsonl:1 and "),
        ([*ROWS, "{"], "this line is not JSON"),
        (
            [*ROWS, ROWS[0] | {"sample_id": "x", "label": "ox", "part": "test"}],
            "label: no sample of the train split has the class 'ox'",
        ),
        ([*ROWS, ROWS[0] | {"sample_id": "x", "photo": "../a.png"}], "photo: '../a.png' lies "),
        ([], "the manifest has no samples"),
        ([row | {"label": "cat"} for row in ROWS], "label: the train split has one class only"),
    ],
)
def test_a_wrong_manifest_is_told_with_exit_code_3(home, rows, words):
    write_lines(home / "manifest.jsonl", rows)

    assert error_of(3, "check", "pets.yaml").startswith(f"error: {words}")


def test_check_finds_that_an_encoder_does_not_fit_its_feature(home):
    encode = "modalities.image.encode={kind: lstm}"

    assert "lstm" in error_of(2, "check", "pets.yaml", "--set", encode)


def test_check_tries_the_space_of_a_search(home):
    wrong = "search.space={model.dropout: {uniform: [0, 2]}}"

    done = call("check", "pets.yaml", "--set", "search.preset=quick")

    assert "\nsearch over 9 keys: train.lr, train.batch_size, model.width" in done.stdout
    assert "search over" not in call("check", "pets.yaml").stdout
    said = error_of(2, "check", "pets.yaml", "--set", wrong)
    assert "a trial would not be valid: model.dropout" in said
    assert "where: search.space.model.dropout" in said


def test_check_finds_a_workspace_that_is_a_file(home):
    (home / "work").write_text("in the way")

    said = error_of(4, "check", "pets.yaml")

    assert f"the workspace cannot be written\n  where: {home}/work\n" in said
    assert "choose another 'workspace'" in said


def test_check_finds_that_features_will_not_fit_on_the_disk(home):
    write_lines(home / "manifest.jsonl", [row | {"photo": "a.png"} for row in ROWS])
    size = "modalities.image.extract={kind: pixels, height: 9000000, width: 9000000}"

    said = error_of(4, "check", "pets.yaml", "--set", size)

    assert "not enough disk: features take up to 972.0 TB" in said


# --- stages ---------------------------------------------------------------------------------

DRY = ("--set", "tracking.uri=memory://")


@pytest.mark.parametrize("verb", ["extract", "train", "evaluate"])
def test_a_stage_before_prepare_says_what_to_run_first(home, verb):
    said = error_of(3, verb, "pets.yaml")

    assert "the stage 'prepare' has not been run for this document and corpus" in said
    assert "hint:  run 'mmray prepare pets.yaml' first" in said
    assert [path.name for path in (home / "work").iterdir()] == [WORKSPACE_LOCK]


def test_train_before_extract_says_what_to_run_first(home):
    call("prepare", "pets.yaml", *DRY)

    said = error_of(4, "train", "pets.yaml", *DRY, "--quiet")

    assert "the stage 'extract' has not been run" in said
    assert "hint:  run 'mmray extract pets.yaml' first" in said


def test_prepare_reports_on_both_channels_and_is_skipped_the_second_time(home):
    first = call("prepare", "pets.yaml", *DRY)
    second = call("prepare", "pets.yaml", *DRY, "--json")

    assert first.stdout == "next: mmray extract pets.yaml\n"
    assert "4 samples: 2 train, 1 val, 1 test" in first.stderr
    assert json.loads(second.stdout)["skipped"] is True
    assert "prepare (skipped, complete" in second.stderr


def test_a_manifest_that_changed_is_prepared_again(home):
    before = json.loads(call("prepare", "pets.yaml", *DRY, "--json").stdout)
    write_lines(home / "manifest.jsonl", ROWS[::-1])

    after = json.loads(call("prepare", "pets.yaml", *DRY, "--json").stdout)

    assert not after["skipped"]
    assert after["fingerprint"] != before["fingerprint"]


def test_a_setting_of_training_changes_nothing_in_prepare(home):
    call("prepare", "pets.yaml", *DRY)

    again = call("prepare", "pets.yaml", *DRY, "--json", "--set", "train.lr=3e-4")

    assert json.loads(again.stdout)["skipped"]


def test_search_needs_no_search_section_and_prepares_the_corpus_first(home):
    (home / "manifest.jsonl").unlink()

    said = error_of(3, "search", "pets.yaml")

    assert "manifest.jsonl" in said
    assert "prepare" not in said


def test_a_search_can_be_shown_before_there_is_one_and_then_says_what_to_run(home):
    assert "run 'mmray prepare" in error_of(3, "search", "pets.yaml", "--show")


@pytest.mark.parametrize(
    ("words", "trials", "minutes"),
    [
        (["--trials", "5"], 5, None),
        (["--minutes", "0.5"], None, 0.5),
        (["--set", "search.trials=9", "--trials", "5", "--minutes", "3"], 5, 3.0),
        ([], 24, None),
    ],
)
def test_the_budget_of_a_search_replaces_that_of_the_document(home, words, trials, minutes):
    seen = []
    app = typer.Typer()

    @app.command()
    @document_verb(settings=BUDGET)
    def keep(call, trials: int | None = None, minutes: float | None = None):
        seen.append(call.config.search_section())

    done = CliRunner().invoke(app, ["pets.yaml", *words])

    assert done.exit_code == 0, done.output
    assert [(s.trials, s.minutes) for s in seen] == [(trials, minutes)]


def test_a_budget_is_checked_as_the_document_is(home):
    assert "search.trials: Input should be greater than 0, got 0" in error_of(
        2, "search", "pets.yaml", "--trials", "0"
    )


def test_ui_without_a_store_says_what_to_run(home):
    said = error_of(6, "ui", "pets.yaml")

    assert "there is no tracking store yet\n  where: sqlite:///work/mlflow.db" in said


# --- predict --------------------------------------------------------------------------------


def test_predict_with_a_folder_that_is_no_bundle_says_where_one_is_left(home):
    said = error_of(2, "predict", ".", "manifest.jsonl")

    assert "there is no model bundle\n  where: .\n" in said
    assert "'mmray evaluate' writes one to the workspace, under 'model'" in said


def test_predict_without_records_exits_as_a_manifest_error(home):
    assert "there is no file of records 'nowhere.csv'" in error_of(3, "predict", ".", "nowhere.csv")


# --- bench ----------------------------------------------------------------------------------


def test_benchmarks_are_run_from_a_checkout_and_by_group(home):
    assert "run this in a checkout" in error_of(2, "bench")
    assert "groups: features, training, extraction" in error_of(2, "bench", "speed")


# --- extract and the feature store ----------------------------------------------------------


def test_a_plan_says_what_extract_would_compute_and_starts_and_writes_nothing(home):
    before = sorted(home.rglob("*"))
    program = (
        "import sys\nfrom mmray.cli.app import app\n"
        "try:\n    app(['extract', 'pets.yaml', '--plan'])\n"
        "finally:\n    print({'torch', 'ray', 'mlflow', 'transformers'} & set(sys.modules))"
    )

    done = run_python("-c", program)

    assert done.stdout.splitlines() == [
        "text: 4 of 4 payloads to compute, at most 2 KB",
        "  not fitted yet: will be fitted on the train split's 2 payloads first",
        "image: nothing to compute; nothing has changed",
        "next: mmray prepare pets.yaml",
        "set()",
    ]
    assert sorted(home.rglob("*")) == before


def test_a_plan_as_json_is_one_document(home):
    report = json.loads(call("extract", "pets.yaml", "--plan", "--json").stdout)

    assert report["counts"]["modalities"]["text"]["computed"] == 4


def test_verify_exits_with_4_where_nothing_was_extracted_and_says_what_to_do(home):
    done = call("features", "verify", "pets.yaml")

    assert done.exit_code == 4
    assert "has not been extracted" in done.stdout
    assert "run 'mmray extract pets.yaml'" in done.stdout


def test_ls_and_gc_of_an_empty_store_say_so(home):
    listed = json.loads(call("features", "ls", "pets.yaml", "--json").stdout)

    assert listed["counts"]["folders"] == []
    assert call("features", "gc", "pets.yaml").stdout == "to remove: 0 B in 0 folders\n"


def test_show_of_an_unknown_modality_names_those_there_are(home):
    assert "the document has: text, image" in error_of(2, "features", "show", "pets.yaml", "txt")


PRINT = """
import atexit
from mmray.cli.console import kept_stdout

atexit.register(lambda: print("another one"))
with kept_stdout() as stdout:
    print("a process was lost", flush=True)
    print("{}", end="", file=stdout)
"""


def test_what_others_print_beside_a_report_goes_to_standard_error():
    done = run_python("-c", PRINT)

    assert (done.stdout, done.stderr) == ("{}", "a process was lost\nanother one\n")


# --- what a corpus may say to a terminal ----------------------------------------------------

COLUMN, CLASS = "\x1b]0;owned\x07no\u202ete", "\x9b31mcat"


@pytest.mark.parametrize(
    "words",
    [
        ("check", "pets.yaml"),
        ("check", "pets.yaml", "--json"),
        ("check", "pets.yaml", "--set", "modalities.text.column=nowhere"),
        ("check", "pets.yaml", "--set", "tasks.animal.classes=[dog]"),
        ("check", "pets.yaml", "--set", "\x1b[31mtrain.lr"),
        ("check", "pets.yaml", "--deep"),
        ("prepare", "pets.yaml", *DRY),
        ("check", "\x1b[31m.yaml"),
    ],
)
def test_escape_sequences_of_a_corpus_do_not_reach_the_terminal(home, words):
    rows = [
        {"sample_id": f"\x1b[2J{n}", COLUMN: "", "note": "", "label": CLASS, "part": row["part"]}
        for n, row in enumerate(ROWS)
    ]
    write_lines(home / "manifest.jsonl", [row | {"photo": "\u202ea.png"} for row in rows])

    said = call(*words).output

    assert said
    assert not set(said) & set("\x1b\x07\x9b\u202e")


def test_json_with_odd_characters_reads_back_as_it_was():
    document = {"\x1b[31m": ["\x9b", "\u202e", "\ud800", "é猫\n", "\U000e0041"]}

    text = printable_json(document)

    assert json.loads(text) == document
    assert not set(text) & set("\x1b\x9b\u202e\ud800\U000e0041")


def test_lines_of_the_log_hold_no_escape_sequences_and_no_secrets():
    program = (
        "import logging\nfrom mmray.cli.console import set_up_logging\n"
        "set_up_logging(quiet=False, verbose=False)\n"
        "logging.getLogger('mmray.x').warning('%s and %s', '\\x1b[31mred', 'http://me:pw@host/a')"
    )

    program += "\nlogging.getLogger('ray').warning('%s', '\\x1b[1mbold\\x1b[0m')"

    done = run_python("-c", program)

    assert done.stderr.endswith(" bold\n")
    assert r"\x1b[31mred and http://***@host/a" in done.stderr
    assert "\x1b" not in done.stderr
