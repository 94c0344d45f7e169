import math

import pytest

from mmray.core.kind import Split
from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import RawTable
from mmray.errors import ManifestError
from tests.support.document import make_config

TASKS = {
    "animal": {"kind": "classification", "column": "label"},
    "age": {"kind": "regression", "column": "age"},
}
MODALITIES = {"text": {"column": "note"}, "image": {"column": "photo"}}
ROWS = [
    {"sample_id": "a", "note": "one", "photo": "a.png", "label": "cat", "age": 1, "who": 7},
    {"sample_id": "b", "note": "two", "photo": "b.png", "label": "dog", "age": 2, "who": 8},
    {"sample_id": "c", "note": "three", "photo": "c.png", "label": "cat", "age": 3, "who": 7},
]


def make_table(rows):
    locations = [f"m.jsonl:{number}" for number in range(1, len(rows) + 1)]
    return RawTable("m.jsonl", "/corpus", zip(locations, rows, strict=True))


def run(rows, *, tasks=TASKS, classes=None, **data):
    """Normalise rows; everything is in the train split unless the test says otherwise."""
    data.setdefault("split", {"train": 1, "val": 0, "test": 0})
    if classes:
        tasks = tasks | {"animal": TASKS["animal"] | {"classes": classes}}
    config = make_config(
        data={"manifest": "m.jsonl"} | data, modalities=MODALITIES, tasks=tasks, seed=0
    )
    return normalise(make_table(rows), config)


def change(row, **cells):
    """The three rows with some cells of one changed."""
    return [r | cells if number == row else r for number, r in enumerate(ROWS)]


def error_of(rows, **settings):
    with pytest.raises(ManifestError) as caught:
        run(rows, **settings)
    return caught.value


def test_rows_become_ids_references_and_labels_in_their_order():
    manifest = run(ROWS)

    assert manifest.ids == ["a", "b", "c"]
    assert manifest.references == {
        "text": ["one", "two", "three"],
        "image": ["a.png", "b.png", "c.png"],
    }
    assert manifest.labels == {"animal": ["cat", "dog", "cat"], "age": [1.0, 2.0, 3.0]}
    assert manifest.folder == "/corpus"


@pytest.mark.parametrize("nothing", [None, "", math.nan])
def test_none_nan_and_an_empty_cell_are_missing(nothing):
    manifest = run(change(1, note=nothing, photo=nothing, label=nothing, age=nothing))

    found = [*manifest.references.values(), *manifest.labels.values()]
    assert [column[1] for column in found] == [None] * 4
    assert all(column[0] is not None and column[2] is not None for column in found)


def test_a_cell_that_a_row_does_not_have_is_missing():
    manifest = run([*ROWS, {"sample_id": "d", "label": "cat"}])

    assert [column[3] for column in manifest.references.values()] == [None, None]
    assert manifest.labels["age"][3] is None


@pytest.mark.parametrize("zero", [0, 0.0, "0", False])
def test_zero_is_a_label(zero):
    manifest = run(change(1, label=zero, age=zero))

    assert manifest.labels["age"][1] == 0.0
    assert manifest.labels["animal"][1] == ("false" if zero is False else "0")


def test_a_class_is_the_same_as_text_and_as_a_number_from_a_column_with_gaps():
    rows = [row | {"label": value} for row, value in zip(ROWS, [3, 3.0, "3"], strict=True)]

    assert run(rows).labels["animal"] == ["3", "3", "3"]


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"age": "old"}, "age: 'old' is not a number"),
        ({"age": math.inf}, "age: inf is not a finite number"),
        ({"age": [1]}, "age: a label must be text or a number, not [1]"),
        ({"label": ["cat"]}, "label: a label must be text or a number, not ['cat']"),
        ({"photo": 5}, "a payload must be text, a path or bytes, not 5"),
        ({"photo": {"array": [0] * 200}}, "a payload must be text, a path or bytes, not {'array'"),
        ({"sample_id": ""}, "a sample has no 'sample_id'"),
        ({"sample_id": None}, "a sample has no 'sample_id'"),
    ],
)
def test_a_cell_of_the_wrong_kind_is_told_with_its_line(cells, words):
    error = error_of(change(1, **cells))

    assert str(error.args[0]).startswith(words)
    assert len(error.args[0]) < 150
    assert error.where == "m.jsonl:2"


def test_an_id_that_appears_twice_names_both_places():
    error = error_of(change(2, sample_id="a"))

    assert error.args[0] == "sample_id 'a' appears twice"
    assert error.where == "m.jsonl:1 and m.jsonl:3"


@pytest.mark.parametrize(
    ("settings", "words", "hint"),
    [
        ({"id": "sampleid"}, "no column 'sampleid', which 'data.id' names",
         "did you mean 'sample_id'?"),
        ({"split": {"group": "patient"}}, "'patient', which 'data.split.group' names",
         "there are: sample_id, note, photo, label, age, who"),
        ({"split": {"column": "splt"}}, "'splt', which 'data.split.column' names", "there are: "),
        ({"tasks": {"animal": {"kind": "classification", "column": "labell"}}},
         "'labell', which 'tasks.animal.column' names", "did you mean 'label'?"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_told_with_the_key_that_names_it(settings, words, hint):
    error = error_of(ROWS, **settings)

    assert words in error.args[0]
    assert error.hint.startswith(hint)
    assert error.where == "m.jsonl"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("../b.png", "photo: '../b.png' lies outside the manifest's folder"),
        ("x/../../b.png", "lies outside the manifest's folder"),
        ("/etc/passwd", "photo: '/etc/passwd' lies outside the manifest's folder"),
        ("file:///etc/passwd", "lies outside the manifest's folder"),
        ("http://10.0.0.1/b.png", "(http://... is not in data.allow)"),
        ("s3://other/b.png", "(s3://... is not in data.allow)"),
    ],
)
def test_a_payload_outside_of_the_corpus_is_refused_with_its_line(reference, words):
    error = error_of(change(1, photo=reference), allow=["/data", "s3://pets/"])

    assert words in error.args[0]
    assert error.where == "m.jsonl:2"
    assert "'data.allow'" in error.hint


@pytest.mark.parametrize(
    "reference", ["/data/b.png", "s3://pets/b.png", "x/../b.png", "file:///data/b.png"]
)
def test_a_payload_in_an_allowed_place_is_kept_as_it_is_written(reference):
    manifest = run(change(1, photo=reference), allow=["/data", "s3://pets/"])

    assert manifest.references["image"][1] == reference


def test_inline_text_and_inline_bytes_are_no_paths():
    manifest = run(change(1, note="../../etc/passwd", photo=b"/etc/passwd"))

    assert manifest.references["text"][1] == "../../etc/passwd"
    assert manifest.references["image"][1] == b"/etc/passwd"


def test_a_class_that_the_document_does_not_list_is_refused():
    error = error_of(ROWS, classes=["cat", "dig"])

    assert error.args[0] == "label: unknown class 'dog'"
    assert error.hint == "did you mean 'dig'?"
    assert error.where == "m.jsonl:2"


def test_a_class_unlike_the_listed_ones_is_answered_with_the_list():
    assert error_of(ROWS, classes=["cat", "ox"]).hint == "'tasks.animal.classes' has: cat, ox"


def test_a_class_that_no_train_sample_shows_is_refused():
    rows = [row | {"part": part} for row, part in zip(ROWS, ("train", "val", "train"), strict=True)]

    error = error_of(rows, split={"column": "part"})

    assert error.args[0] == "label: no sample of the train split has the class 'dog'"
    assert error.hint == "list all classes in 'tasks.animal.classes', or change 'data.split'"
    assert run(rows, split={"column": "part"}, classes=["cat", "dog"]).labels["animal"][1] == "dog"


def test_a_task_without_any_label_is_refused():
    error = error_of([row | {"age": None} for row in ROWS])

    assert error.args[0] == "no sample has a label for the task 'age' (column 'age')"


# --- ids and splits -------------------------------------------------------------------------


def without_ids(rows):
    return [{key: cell for key, cell in row.items() if key != "sample_id"} for row in rows]


def test_without_an_id_column_ids_follow_from_the_payloads_alone():
    rows = without_ids(ROWS)

    ids = run(rows).ids

    assert len(set(ids)) == 3
    assert run(rows[::-1]).ids == ids[::-1]
    assert run([row | {"label": "cat", "age": 9} for row in rows]).ids == ids
    assert run(without_ids(change(1, note="other"))).ids[1] not in ids


def test_without_an_id_column_the_same_payloads_twice_are_two_samples_of_one_split():
    nothing = {"note": None, "photo": "", "label": "cat", "age": 1}
    rows = without_ids([ROWS[0], nothing, ROWS[0], nothing, nothing])

    manifest = run(rows, split={"train": 0.5, "val": 0.25, "test": 0.25, "seed": 3})

    first, empty, second, *others = manifest.ids
    assert second == f"{first}-2"
    assert others == [f"{empty}-2", f"{empty}-3"]
    assert manifest.splits[0] == manifest.splits[2]


def test_the_column_of_the_document_goes_before_sample_id():
    rows = [row | {"who": number} for number, row in enumerate(ROWS)]

    assert run(rows, id="who").ids == ["0", "1", "2"]


SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}
MANY = [
    {"sample_id": f"s{n}", "note": f"note {n}", "photo": None, "label": "cat", "age": n,
     "who": n % 20}
    for n in range(200)
]  # fmt: skip


def splits_of(rows, **split):
    manifest = run(rows, split=SHARES | split)
    return dict(zip(manifest.ids, manifest.splits, strict=True))


@pytest.mark.parametrize("by", ["labels", "hash"])
def test_a_samples_split_depends_on_no_order_of_rows(by):
    all_splits = splits_of(MANY, by=by)

    assert set(all_splits.values()) == set(Split)
    assert splits_of(MANY[::-1], by=by) == all_splits


def test_by_hash_alone_a_samples_split_depends_on_no_other_row():
    all_splits, some = splits_of(MANY, by="hash"), splits_of(MANY[50:120], by="hash")

    assert some == {sample: all_splits[sample] for sample in some}


def test_a_group_stays_together_whatever_the_type_of_its_column():
    splits = splits_of(MANY, group="who")

    by_group = {n: {splits[f"s{m}"] for m in range(n, 200, 20)} for n in range(20)}
    assert all(len(found) == 1 for found in by_group.values())
    assert len(set.union(*by_group.values())) == 3
    for kind in (float, str, lambda group: f" {group}.0"):
        assert splits_of([row | {"who": kind(row["who"])} for row in MANY], group="who") == splits


def test_what_keeps_samples_together_is_kept_with_them():
    by_group = run(change(1, who=None), split={"train": 1, "val": 0, "test": 0, "group": "who"})
    no_ids = without_ids([ROWS[0], ROWS[1], ROWS[0]])

    assert by_group.groups == ["7", "b", "7"]
    assert run(ROWS).groups is None
    assert len(set(run(no_ids).ids)) == 3
    assert [run(no_ids).groups[row] == run(no_ids).groups[0] for row in range(3)] == [
        True, False, True,
    ]  # fmt: skip


def test_samples_without_a_group_are_split_one_by_one():
    splits = splits_of([row | {"who": None} for row in MANY], group="who")

    assert splits == splits_of(MANY)


def test_a_column_says_the_split_and_a_value_that_is_none_is_told_with_its_line():
    parts = ("train", "val", "test")
    rows = [row | {"part": p, "label": "cat"} for row, p in zip(ROWS, parts, strict=True)]

    splits = run(rows, split={"column": "part"}).splits
    error = error_of([*rows[:2], rows[2] | {"part": "tset"}], split={"column": "part"})

    assert splits == [Split.TRAIN, Split.VAL, Split.TEST]
    assert error.args[0] == "part: 'tset' is not a split"
    assert (error.where, error.hint) == ("m.jsonl:3", "write train, val or test")


def test_a_corpus_without_a_train_sample_is_refused():
    error = error_of(ROWS, split={"train": 0, "val": 1, "test": 0})

    assert error.args[0] == "no sample is in the train split"
    assert "'data.split'" in error.hint


FIRST = 5000
"""Rows enough that the ones after them are read apart from the first."""


def make_many(**cells):
    return [ROWS[0] | {"sample_id": f"s{row}"} | cells for row in range(FIRST)]


def test_rows_that_are_read_apart_are_one_manifest():
    manifest = run([*make_many(), ROWS[1]])

    assert len(manifest.ids) == len(manifest.splits) == FIRST + 1
    assert [manifest.ids[0], manifest.ids[FIRST]] == ["s0", "b"]
    assert list(manifest.references["text"])[-2:] == ["one", "two"]
    assert list(manifest.labels["age"])[-2:] == [1.0, 2.0]


def test_an_id_that_appears_again_far_below_names_both_places():
    error = error_of([*make_many(), ROWS[1], ROWS[0] | {"sample_id": "s2"}])

    assert "sample_id 's2' appears twice" in str(error)
    assert f"m.jsonl:3 and m.jsonl:{FIRST + 2}" in str(error)


def test_an_id_column_that_begins_far_below_names_the_first_sample_without_one():
    early = [{"note": f"note {row}", "label": "cat", "age": 1} for row in range(FIRST)]

    error = error_of([*early, ROWS[0]])

    assert "a sample has no 'sample_id'" in str(error)
    assert "m.jsonl:1" in str(error)


def test_a_column_that_is_nowhere_goes_before_a_broken_cell():
    broken = [row | {"age": "old"} for row in make_many()]
    for row in broken:
        del row["photo"]

    assert "the manifest has no column 'photo'" in str(error_of(broken))
    error = error_of([*broken, ROWS[0]])
    assert "photo" not in str(error)
    assert "m.jsonl:1" in str(error)
