"""The verbs around the feature store: plan, ls, show, verify, gc."""

import os
import time

import numpy as np
import pytest

from mmray.core.file.atomic import read_success
from mmray.features.spec import spec_of
from mmray.features.store import read_features, shards_of
from mmray.inspection.extraction_plan import plan
from mmray.inspection.features.description import show_modality
from mmray.inspection.features.garbage import collect
from mmray.inspection.features.listing import list_folders
from mmray.inspection.features.verify import verify_features
from tests.support.extraction import Corpus, notes

TFIDF = {"column": "note", "extract": {"kind": "tfidf", "vocabulary": 50}}
HASHED = {"column": "note", "extract": {"kind": "bow", "vocabulary": 50, "hashing": True}}


@pytest.fixture
def corpus(tmp_path):
    corpus = Corpus(tmp_path, notes(20), text=HASHED)
    corpus.extract()
    return corpus


def plan_of(corpus, **options):
    report = plan(corpus.config, **{"refit": False, "retry": False} | options)
    return report.counts["modalities"]["text"]


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_plan_before_anything_was_extracted_computes_everything_and_writes_nothing(tmp_path):
    corpus = Corpus(tmp_path, notes(20), text=TFIDF)
    before = files_below(tmp_path)

    found = plan_of(corpus)

    assert (found["computed"], found["new"], found["bytes"]) == (20, 20, 20 * 50 * 4)
    assert found["why"] == ["not fitted yet: will be fitted on the train split's 16 payloads first"]
    assert files_below(tmp_path) == before


def test_a_plan_counts_new_changed_and_removed_samples(corpus):
    rows = notes(22)
    rows[3]["note"] = "something else"
    corpus.write(rows[1:])

    found = plan_of(corpus)

    assert found["why"] == ["2 new samples", "1 changed payloads", "1 removed samples"]
    assert (found["new"], found["changed"], found["removed"]) == (2, 1, 1)
    assert found["is_measured"]


def test_a_plan_says_that_nothing_has_changed(corpus):
    report = plan(corpus.config)

    assert report.found == ("text: nothing to compute; nothing has changed",)


def test_a_plan_names_the_settings_that_differ_from_the_nearest_folder(corpus):
    corpus.modalities["text"] = HASHED | {"clean": {"lowercase": False}}
    corpus.extract()
    changed = HASHED["extract"] | {"vocabulary": 60}
    corpus.modalities["text"] = HASHED | {"extract": changed, "clean": {"lowercase": False}}

    found = plan_of(corpus)

    assert found["why"] == ["extract.vocabulary: 50 -> 60"]
    assert found["computed"] == 20


def test_a_plan_keeps_what_was_learnt_or_with_refit_does_not(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    corpus.extract()
    corpus.write(notes(202))

    kept, anew = plan_of(corpus), plan_of(corpus, refit=True)

    assert kept["computed"] == 2
    assert "kept" in kept["why"][0]
    assert anew["computed"] == 202


def test_what_is_planned_is_what_is_computed(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    for count in (200, 201, 260, 255):
        corpus.write(notes(count))
        planned = plan_of(corpus)["computed"]

        _, computed = corpus.extract()

        assert planned == len(computed.get("text", []))


def test_an_empty_store_says_so(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=TFIDF)

    assert list_folders(corpus.config).found == (
        "nothing is stored yet: run 'mmray extract CONFIG'",
    )


def test_folders_are_listed_as_current_or_stale(corpus):
    corpus.modalities["text"] = TFIDF
    corpus.extract()

    rows = list_folders(corpus.config).counts["folders"]

    assert sorted((row["status"], row["kind"]) for row in rows) == [
        ("current", "tfidf"), ("fitted", ""), ("stale", "bow"),
    ]  # fmt: skip
    assert {row["extracted"] for row in rows if row["kind"]} == {20}


def test_statistics_are_those_of_the_current_features_alone(corpus):
    rows = notes(20)
    rows[3]["note"] = "other words by far in this one than in any other"
    corpus.write(rows)
    corpus.extract()
    spec = spec_of(corpus.config.modalities["text"])
    ids = [row["sample_id"] for row in rows]
    values = read_features(corpus.folders()["text"], ids, spec).values.astype(np.float64)

    found = show_modality(corpus.config, "text").counts["statistics"]

    assert found["features"] == 20
    assert found["mean"] == pytest.approx(values.mean())
    assert found["std"] == pytest.approx(values.std())
    assert (found["min"], found["max"]) == (values.min(), values.max())
    assert found["zeros"] == pytest.approx((values == 0).mean())


def problems_of(corpus):
    return verify_features(corpus.config).counts["problems"]


def test_whole_features_have_no_problems(corpus):
    assert problems_of(corpus) == []


def test_a_changed_byte_is_found_and_deleting_the_file_mends_it(corpus):
    shard = shards_of(corpus.folders()["text"])[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    status = shard.stat()
    shard.write_bytes(data)
    os.utime(shard, ns=(status.st_atime_ns, status.st_mtime_ns))
    problems = problems_of(corpus)
    assert [problem["path"] for problem in problems] == [str(shard)]
    assert "SHA-256" in problems[0]["what"]
    assert "delete this file" in problems[0]["hint"]

    shard.unlink()
    corpus.extract()

    assert problems_of(corpus) == []


@pytest.mark.parametrize("name", ["index.parquet", "rejections.parquet", "shard-*.parquet"])
def test_a_missing_file_is_found_and_extract_mends_it(corpus, name):
    next(corpus.folders()["text"].glob(name)).unlink()
    assert "is not there" in problems_of(corpus)[0]["what"]

    corpus.extract()

    assert problems_of(corpus) == []


def test_gc_lists_stale_folders_and_removes_them_only_when_told(corpus):
    stale = corpus.folders()["text"]
    corpus.modalities["text"] = TFIDF
    corpus.extract()
    current = corpus.folders()["text"]

    listed = collect(corpus.config, remove=False)
    assert [row["folder"] for row in listed.counts["folders"]] == [str(stale)]
    assert stale.is_dir()
    collect(corpus.config, remove=True)

    assert not stale.exists()
    assert read_success(current) is not None
    assert problems_of(corpus) == []
    assert corpus.extract()[1] == {}


def test_gc_removes_shards_of_superseded_rows_and_nothing_is_computed_again(corpus):
    rows = notes(20)
    folder = corpus.folders()["text"]
    old = set(shards_of(folder))
    for row in rows:
        row["note"] = f"changed {row['note']}"
    corpus.write(rows)
    corpus.extract()

    collect(corpus.config, remove=True)

    assert not old & set(shards_of(folder))
    assert problems_of(corpus) == []
    assert corpus.extract()[1] == {}


def test_gc_touches_nothing_that_is_not_ours_and_follows_no_link(corpus, tmp_path):
    root = corpus.folders()["text"].parent
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "_SUCCESS.json").write_text("{}")
    (root / "0123456789abcdef").symlink_to(outside)
    mine = root / "my notes"
    mine.mkdir()
    (mine / "_SUCCESS.json").write_text("{}")
    stale = root / "fedcba9876543210"
    stale.mkdir()
    (stale / "_SUCCESS.json").write_text("{}")
    (stale / "thesis.txt").write_text("words")
    (stale / "index.parquet").symlink_to(outside / "_SUCCESS.json")
    unmarked = root / "00000000000000aa"
    unmarked.mkdir()
    (unmarked / "index.parquet").write_text("whose?")

    report = collect(corpus.config, remove=True)

    assert (outside / "_SUCCESS.json").is_file()
    assert (mine / "_SUCCESS.json").is_file()
    assert (unmarked / "index.parquet").is_file()
    assert sorted(path.name for path in stale.iterdir()) == ["index.parquet", "thesis.txt"]
    assert f"left: {stale} (not a file of the store)" in report.found


def test_gc_removes_what_a_killed_process_left_but_not_what_is_being_written(corpus):
    folder = corpus.folders()["text"]
    for name, age in (("old", 7200), ("new", 0)):
        path = folder / f".shard-{name}.parquet.0a1b2c3d.tmp"
        path.write_bytes(b"PAR1")
        os.utime(path, (time.time() - age,) * 2)

    collect(corpus.config, remove=True)

    assert [path.name for path in folder.glob(".*.tmp")] == [".shard-new.parquet.0a1b2c3d.tmp"]
