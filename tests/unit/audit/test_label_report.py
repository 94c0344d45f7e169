import pytest

from mmray.audit.label_report import describe_labels, label_warnings
from mmray.core.kind import Split
from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import RawTable
from tests.support.document import make_config

MODALITIES = {"text": {"column": "note"}, "image": {"column": "photo"}}
LONG = "a note that is long enough not to be equal by chance"


def make_rows(count=400):
    return [
        {"sample_id": f"s{n}", "note": f"{LONG} {n}", "photo": f"{n}.png", "label": "ab"[n % 2],
         "patient": n // 2}
        for n in range(count)
    ]  # fmt: skip


def manifest_of(rows, **sections):
    config = make_config(**{"modalities": MODALITIES} | sections)
    locations = [f"m.jsonl:{number}" for number in range(1, len(rows) + 1)]
    table = RawTable("m.jsonl", "/corpus", zip(locations, rows, strict=True))
    return normalise(table, config), config


def warnings(rows, **sections):
    return list(label_warnings(*manifest_of(rows, **sections)))


def test_a_corpus_with_labels_enough_has_its_classes_listed_and_no_warning():
    manifest, config = manifest_of(make_rows())

    found = list(describe_labels(manifest, config))

    assert found == ["animal: 2 classes (train/val/test): 'a' 160/20/20, 'b' 160/20/20"]
    assert list(label_warnings(manifest, config)) == []


@pytest.mark.parametrize("column", ["photo", "note"])
def test_a_payload_in_train_and_test_is_named(column):
    rows = make_rows()
    manifest, _ = manifest_of(rows)
    test, train = (manifest.splits.index(split) for split in (Split.TEST, Split.TRAIN))
    rows[test][column] = rows[train][column]

    (found,) = warnings(rows)

    name = {"photo": "image", "note": "text"}[column]
    assert f"1 of 40 {name!r} payloads in test are in train, too" in found
    assert f"s{test} is s{train}" in found


def test_short_texts_may_be_equal_and_groups_keep_copies_together():
    assert warnings([row | {"note": "ok"} for row in make_rows()]) == []
    copies = [row | {"photo": f"{row['patient']}.png"} for row in make_rows()]
    assert any("payloads in test" in found for found in warnings(copies))
    data = {"manifest": "m.jsonl", "split": {"group": "patient"}}
    assert warnings(copies, data=data) == []


def test_a_label_column_that_is_an_input_is_named():
    table = {"kind": "table", "numbers": ["patient"], "categories": ["label"]}

    (found,) = warnings(make_rows(), modalities={"table": table})

    assert found == (
        "warning: the column 'label' holds the labels of 'animal' and is an input of 'table': "
        "the model sees the answer"
    )


@pytest.mark.parametrize(
    ("split", "why"),
    [({"group": "clinic"}, "the groups of 'clinic' are too few or too large"),
     ({"by": "hash", "seed": 10}, "data.split.by is 'hash'")],
)  # fmt: skip
def test_splits_far_from_the_sizes_asked_for_are_named(split, why):
    rows = [row | {"clinic": number // 60} for number, row in enumerate(make_rows(240))]
    shares = {"train": 0.9, "val": 0.05, "test": 0.05}

    found = warnings(rows, data={"manifest": "m.jsonl", "split": shares | split})

    assert any("samples instead of 216/12/12: " + why in words for words in found)


def test_a_test_split_without_labels_is_named():
    rows = make_rows()
    splits = ["train", "val", "test"]
    rows = [row | {"part": splits[n % 3]} for n, row in enumerate(rows)]
    rows = [row | {"label": None if row["part"] == "test" else row["label"]} for row in rows]

    found = warnings(rows, data={"manifest": "m.jsonl", "split": {"column": "part"}})

    assert found == [
        "warning: animal: no sample of test has a label, so the task cannot be evaluated on it"
    ]
