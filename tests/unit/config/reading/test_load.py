import json
from functools import reduce
from operator import attrgetter
from pathlib import Path

import jsonschema
import pytest
import yaml

from mmray.config.document import Config
from mmray.config.model.model import AttentionFusionConfig
from mmray.config.reading.load import apply_override, check_document, load_config, resolved
from mmray.config.training.train import EarlyStopConfig
from mmray.errors import ConfigError
from tests.support.document import make_config, make_document
from tests.support.process import run_python

CONFIGS = Path(__file__).parents[4] / "workflows" / "configs"
DOCUMENTS = sorted(CONFIGS.glob("*.yaml"))
MODALITIES = {
    "text": {"column": "note", "extract": {"kind": "tokens"}, "encode": {"kind": "lstm"}},
    "audio": {"column": "speech"},
}


def write(folder, document, name="pets.yaml"):
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


def error_of(document, *overrides):
    """What is said about a wrong document."""
    with pytest.raises(ConfigError) as caught:
        check_document(reduce(apply_override, overrides, document), where="pets.yaml")
    return caught.value


# --- overrides ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.lr=3e-4", 3e-4),
        ("train.epochs=7", 7),
        ("train.schedule=constant", "constant"),
        ("train.workers=auto", "auto"),
        ("train.early_stop={patience: 9}", EarlyStopConfig(patience=9)),
        ("model.fusion={kind: attention, heads: 2}", AttentionFusionConfig(heads=2)),
        ("evaluation.alone=false", False),
        ("data.allow=['s3://pets/', /data]", ("s3://pets/", "/data")),
        ("data.manifest=a=b.csv", "a=b.csv"),
    ],
)
def test_an_override_is_read_as_yaml_and_has_the_type_of_its_key(tmp_path, override, value):
    config = load_config(write(tmp_path, make_document()), [override])

    found = attrgetter(override.partition("=")[0])(config)
    assert found == value
    assert type(found) is type(value)


def test_overrides_apply_in_order_and_the_last_one_counts(tmp_path):
    path = write(tmp_path, make_document())

    config = load_config(path, ["train.lr=1", "train={epochs: 3}", "train.epochs=4"])

    assert (config.train.lr, config.train.epochs) == (2e-3, 4)


def test_an_override_replaces_a_whole_section_and_nothing_beside_it():
    document = make_document(model={"width": 8, "fusion": {"kind": "attention", "heads": 8}})

    changed = apply_override(document, "model.fusion={kind: concat}")

    assert changed["model"] == {"width": 8, "fusion": {"kind": "concat"}}
    assert document["model"]["fusion"] == {"kind": "attention", "heads": 8}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.lr", "override 'train.lr' has no '='"),
        ("=3", "override '=3' has no key"),
        ("train.lr={", "the value in override 'train.lr={' is not valid YAML"),
        ("name.first=x", "'name' in override 'name.first' is a value, not a section"),
        ("data.manifest.x=1", "'data.manifest' in override 'data.manifest.x' is a value"),
        ("train.lr=fast", "train.lr: Input should be a valid number"),
        ("train.learning_rate=1", "unknown key 'train.learning_rate'"),
    ],
)
def test_a_bad_override_is_named(override, words):
    assert words in str(error_of(make_document(), override))


# --- unknown, missing and wrong -------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("trian={epochs: 1}", "train"),
        ("train.epoch=1", "train.epochs"),
        ("train.early_stop={metrc: val/loss}", "train.early_stop.metric"),
        ("modalities.text.colunm=note", "modalities.text.column"),
        ("modalities.text.extract.vocabluary=9", "modalities.text.extract.vocabulary"),
        ("modalities.text.encode={kind: lstm, hiden: 4}", "modalities.text.encode.hidden"),
        ("modalities.audio.decode={sample_rate: 8000}", "modalities.audio.decode.sample_rate_hz"),
        ("modalities.audio.extract={kind: mfcc, coeficients: 9}",
         "modalities.audio.extract.coefficients"),
        ("modalities.front={kind: image, column: p, decode: {crp: none}}",
         "modalities.front.decode.crop"),
        ("model.fusion={kind: gated, temprature: 1}", "model.fusion.temperature"),
        ("tasks.animal.loss={label_smothing: 0.1}", "tasks.animal.loss.label_smoothing"),
        ("runtime={mode: cluster, adress: x}", "runtime.address"),
        ("tracking.registr=pets", "tracking.register"),
        ("search={spce: {}}", "search.space"),
        ("search={space: {train.lr: {uniform: [0, 1]}}, objective: {metrik: a}}",
         "search.objective.metric"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_the_key_that_was_meant(override, meant):
    error = error_of(make_document(modalities=MODALITIES), override)

    assert str(error.args[0]).startswith("unknown key '" + meant.rpartition(".")[0])
    assert error.hint == f"did you mean {meant!r}?"
    assert error.where == "pets.yaml"


def test_an_unknown_key_unlike_all_others_lists_what_is_allowed():
    error = error_of(make_document(), "tasks.animal.loss.zzz=1")

    assert error.hint == "allowed here: kind, label_smoothing, class_weights"


def test_a_key_of_another_kind_is_refused():
    error = error_of(make_document(), "model.fusion={kind: concat, heads: 4}")

    assert error.args[0] == "unknown key 'model.fusion.heads'"
    assert error.hint == "allowed here: kind"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("modalities.text={kind: text}", "the key 'modalities.text.column' is missing"),
        ("modalities.audio={}", "the key 'modalities.audio.column' is missing"),
        ("tasks.animal={column: label}", "the key 'tasks.animal.kind' is missing"),
        ("modalities.front={column: p}", "the key 'modalities.front.kind' is missing"),
        ("data={}", "the key 'data.manifest' is missing"),
        ("search={space: {train.lr: {uniform: [1]}}}",
         "the key 'search.space.train.lr.uniform.1' is missing"),
        ("modalities.text.extract={kind: hf_text}",
         "the key 'modalities.text.extract.model' is missing"),
        ("modalities.text.extract={vocabulary: 8}",
         "the key 'modalities.text.extract.kind' is missing"),
    ],
)  # fmt: skip
def test_a_missing_key_is_named_as_the_user_would_write_it(override, words):
    assert str(error_of(make_document(), override)).startswith(words)


@pytest.mark.parametrize(
    ("override", "words", "hint"),
    [
        ("model.fusion.kind=sum", "model.fusion: unknown kind 'sum'", "'concat', 'gated'"),
        ("modalities.x={kind: smell, column: s}", "modalities.x: unknown kind 'smell'", "'audio'"),
        ("modalities.text.encode.kind=rnn", "modalities.text.encode: unknown kind 'rnn'", "'lstm'"),
        ("search={space: {train.lr: {normal: [0, 1]}}}",
         "search.space.train.lr: unknown distribution 'normal'", "'loguniform'"),
        ("runtime.mode=cloud", "runtime: unknown mode 'cloud'", "'cluster'"),
        ("modalities.audio={column: s, extract: {kind: mfc}}",
         "modalities.audio.extract: unknown kind 'mfc'", "did you mean 'mfcc'? there are: "),
    ],
)  # fmt: skip
def test_an_unknown_kind_is_answered_with_the_kinds_there_are(override, words, hint):
    error = error_of(make_document(), override)

    assert error.args[0] == words
    assert hint in error.hint


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.workers=many", "train.workers: "),
        ("train.workers=0", "train.workers: "),
        (
            "search={space: {model.width: {uniform: [x, 1]}}}",
            "search.space.model.width.uniform.0: ",
        ),
        ("search={space: {model.width: {choice: []}}}", "search.space.model.width.choice: "),
        ("search={space: {model.width: [1, 2]}}", "search.space.model.width: "),
        ("modalities.text.clean.stop_words=[en, no]", "modalities.text.clean.stop_words.1: "),
        ("modalities=[text]", "modalities: "),
        ("modalities.text=note", "modalities.text: "),
        ("name=a b", "name: "),
        ("tasks={}", "tasks: "),
    ],
)
def test_a_wrong_value_is_named_by_the_key_that_holds_it(override, words):
    assert str(error_of(make_document(), override)).startswith(words)


def test_a_typo_is_told_before_the_key_that_is_missing_because_of_it():
    error = error_of(make_document(), "modalities.text={colum: note}")

    assert error.args[0] == "unknown key 'modalities.text.colum' (1 more problem in this document)"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model={width: 30, fusion: {kind: attention, heads: 4}}",
         "model: width (30) must be a multiple of heads (4)"),
        ("modalities.audio={column: s, extract: {kind: mfcc, coefficients: 40, mels: 20}}",
         "modalities.audio.extract: coefficients (40) must not exceed mels (20)"),
        ("data.split={train: 0.8, val: 0.3, test: 0.1}",
         "data.split: train + val + test must be 1, not 1.2"),
        ("search={space: {train.lr: {loguniform: [0, 1]}}}",
         "search.space.train.lr.loguniform: loguniform needs positive bounds, not [0.0, 1.0]"),
        ("search={space: {train.lr: {uniform: [1, 0.1]}}}",
         "search.space.train.lr.uniform: uniform needs the lower bound first, not [1.0, 0.1]"),
        ("search={space: {model.width: {int: [9, 3]}}}",
         "search.space.model.width.int: int needs the lower bound first, not [9, 3]"),
        ("tasks.my-task={kind: regression, column: y}",
         "the document: 'my-task' is not a name: use letters, digits and underscores"),
        ("modalities.fusion={kind: text, column: y}",
         "the document: 'fusion' is the name of the joint model: rename this modality"),
    ],
)  # fmt: skip
def test_keys_that_contradict_each_other_are_told_with_their_values(override, words):
    assert error_of(make_document(), override).args[0] == words


@pytest.mark.parametrize("override", ["name=yes", "data.id=off", "modalities.text.column=no"])
def test_a_text_that_yaml_reads_as_a_boolean_is_to_be_quoted(override):
    assert "quote it, as in 'no'" in error_of(make_document(), override).hint


# --- reading --------------------------------------------------------------------------------


def test_broken_yaml_is_told_with_its_line(tmp_path):
    path = write(tmp_path, "name: pets\ndata:\n  manifest: [a\ntasks: {}\n")

    with pytest.raises(ConfigError, match="not valid YAML: ") as caught:
        load_config(path)

    assert caught.value.where == f"{path}:4"


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "pets\n"])
def test_a_document_that_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match="must be a mapping of keys to values"):
        load_config(write(tmp_path, text))


def test_a_key_written_twice_is_told_with_its_line(tmp_path):
    path = write(tmp_path, "name: pets\ntrain: {epochs: 3}\ntrain: {lr: 0.1}\n")

    with pytest.raises(ConfigError, match="the key 'train' is written twice") as caught:
        load_config(path)

    assert caught.value.where == f"{path}:3"


def test_a_missing_document_is_answered_with_a_similar_name(tmp_path):
    write(tmp_path, make_document(), "quickstart.yaml")

    with pytest.raises(ConfigError, match="there is no document") as caught:
        load_config(tmp_path / "quikstart.yaml")

    assert caught.value.hint == f"did you mean {str(tmp_path / 'quickstart.yaml')!r}?"


def test_a_missing_document_is_not_answered_with_one_that_only_ends_alike(tmp_path):
    write(tmp_path, make_document(), "quickstart.yaml")

    with pytest.raises(ConfigError, match="there is no document") as caught:
        load_config(tmp_path / "pets.yaml")

    assert caught.value.hint == f"in {str(tmp_path)!r} there are: quickstart.yaml"


def test_a_document_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "pets.yaml"
    path.write_bytes(b"name: \xff\xfe\n")

    with pytest.raises(ConfigError, match="cannot read the document"):
        load_config(path)


def test_a_modality_named_after_a_kind_is_of_that_kind_and_others_say_theirs():
    modalities = {name: {"column": name} for name in ("text", "image", "audio")}
    modalities["front"] = {"kind": "image", "column": "f"}

    config = make_config(modalities=modalities)

    kinds = {name: modality.kind for name, modality in config.modalities.items()}
    assert kinds == {"text": "text", "image": "image", "audio": "audio", "front": "image"}


def test_the_order_of_modalities_does_not_depend_on_the_order_in_the_document():
    modalities = {
        "audio": {"column": "a"},
        "front": {"kind": "image", "column": "f"},
        "back": {"kind": "image", "column": "b"},
        "text": {"column": "t"},
    }

    order = make_config(modalities=modalities).modality_order()

    assert order == ("text", "back", "front", "audio")


def test_numbers_without_a_point_are_numbers_everywhere(tmp_path):
    text = yaml.safe_dump(make_document()) + (
        "train: {lr: 3e-4}\n"
        "model: {fusion: {kind: custom, factory: 'a.b:c', options: {eps: 1e-5, name: e5}}}\n"
        "search: {space: {train.lr: {choice: [1e-3, 1E+2]}}}\n"
    )

    config = load_config(write(tmp_path, text))

    assert config.train.lr == 3e-4
    assert config.model.fusion.options == {"eps": 1e-5, "name": "e5"}
    assert config.search.space["train.lr"].choice == [1e-3, 100.0]


def test_the_seed_at_the_top_is_short_for_the_seed_of_training():
    config = make_config(seed=5, train={"seed": 3})

    assert config.train.seed == 5
    assert config.seed is None


def test_a_search_space_keeps_bounds_values_and_named_sections():
    fusions = {"concat": {"kind": "concat"}, "gated": {"kind": "gated"}}
    space = {
        "train.lr": {"loguniform": [1e-5, 1e-2]},
        "model.dropout": {"uniform": [0.0, 0.5]},
        "train.epochs": {"int": [2, 9]},
        "model.width": {"choice": [64, 128]},
        "model.fusion": {"choice": fusions},
    }

    found = make_config(search={"space": space}).search.space

    assert found["train.lr"].loguniform == (1e-5, 1e-2)
    assert found["model.dropout"].uniform == (0.0, 0.5)
    assert found["train.epochs"].int == (2, 9)
    assert found["model.width"].choice == [64, 128]
    assert found["model.fusion"].choice == fusions


@pytest.mark.parametrize(
    ("metric", "mode"),
    [("val/loss", "min"), ("val/age/mae", "min"), ("val/age/rmse", "min"),
     ("val/age/r2", "max"), ("val/animal/f1_macro", "max")],
)  # fmt: skip
def test_the_direction_of_an_objective_follows_from_its_metric(metric, mode):
    tasks = {
        "animal": {"kind": "classification", "column": "label"},
        "age": {"kind": "regression", "column": "age"},
    }
    objective = make_config(train={"keep_best": {"metric": metric}}, tasks=tasks).train.keep_best

    assert objective.direction == mode
    assert objective.is_better(1.0, 2.0) == (mode == "min")


# --- the documents that come with the project -----------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_resolved_document_gives_the_same_config(path):
    config = load_config(path)

    again = check_document(json.loads(json.dumps(resolved(config))), where="resolved")

    assert again == config
    assert resolved(again) == resolved(config)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_satisfies_the_schema_that_editors_use(path):
    schema = json.loads((CONFIGS / "schema.json").read_text("utf-8"))

    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), schema)

    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=./schema.json\n")


def test_the_schema_on_disk_is_that_of_the_code():
    schema = json.loads((CONFIGS / "schema.json").read_text("utf-8"))

    assert schema == Config.model_json_schema(), (
        "regenerate it: mmray schema > workflows/configs/schema.json"
    )


def test_every_key_of_the_schema_says_what_it_means():
    schema = Config.model_json_schema()
    sections = {"the document": schema} | schema["$defs"]

    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section.get("properties", {}).items()
        if not value.get("description", "").strip()
    ]

    assert silent == []


def test_checking_a_document_loads_neither_torch_nor_ray_nor_mlflow():
    program = (
        "import sys, pathlib, mmray, mmray.cli.app\n"
        "from mmray.config.reading.load import load_config\n"
        f"load_config(pathlib.Path({str(DOCUMENTS[0])!r}))\n"
        "print(*({'torch', 'ray', 'mlflow', 'transformers', 'pandas'} & set(sys.modules)))"
    )

    done = run_python("-c", program)

    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


@pytest.mark.parametrize(("written", "expected"), [("~/w", "{home}/w"), ("a/~b", "a/~b")])
def test_a_workspace_may_start_in_the_home_folder(tmp_path, monkeypatch, written, expected):
    monkeypatch.setenv("HOME", str(tmp_path))

    config = make_config(workspace=written)

    assert config.workspace == expected.format(home=tmp_path)


@pytest.mark.parametrize(
    ("workspace", "said"),
    [
        ("w%41", "cannot have '%'"),
        ("a/w%20b", "cannot have '%'"),
        ("w?mode=ro", "cannot have '?'"),
        ("w#1", "cannot have '#'"),
        ("w\nx", "cannot have '\\n'"),
        ("~nobody-of-this-name/w", "no such home folder"),
    ],
)
def test_a_workspace_that_the_stores_uri_would_read_as_another_is_refused(workspace, said):
    with pytest.raises(ConfigError) as caught:
        make_config(workspace=workspace)

    assert said in str(caught.value)
