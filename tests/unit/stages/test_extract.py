"""Extraction as a stage: what is computed when something changes, and what is told."""

import csv
from pathlib import Path

import pytest

from mmray.core.file.atomic import mark_success, read_success
from mmray.errors import ExtractionError
from mmray.features.spec import spec_of
from mmray.features.store import read_features, read_index
from tests.support.extraction import Corpus, notes
from tests.support.payload import photo_payload

TFIDF = {"column": "note", "extract": {"kind": "tfidf", "vocabulary": 50}}
TOKENS = {"column": "note", "extract": {"kind": "tokens", "vocabulary": 8000}}
HASHED = {"column": "note", "extract": {"kind": "bow", "vocabulary": 50, "hashing": True}}
PIXELS = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}


def read_table(report, name):
    with (Path(report.folder) / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_photos(folder, count):
    for number in range(count):
        (folder / f"{number}.png").write_bytes(photo_payload(16, 12, seed=number))


def test_one_percent_of_new_samples_computes_one_percent(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=HASHED)
    corpus.extract()
    corpus.write(notes(202))

    report, computed = corpus.extract()

    assert computed == {"text": ["s200", "s201"]}
    assert report.counts["modalities"]["text"]["extracted"] == 202


def test_a_vocabulary_is_kept_when_one_percent_of_the_train_split_is_new(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    corpus.extract()
    before = corpus.folders()["text"]
    corpus.write(notes(202))

    report, computed = corpus.extract()

    assert computed == {"text": ["s200", "s201"]}
    assert corpus.folders()["text"] == before
    kept = [line for line in report.found if "kept" in line]
    assert "160 of the train split's 162 payloads" in kept[0]
    assert "--refit" in kept[0]


def test_the_spec_of_a_folder_has_the_fitted_ids_and_stays_what_it_was(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TOKENS)
    corpus.extract()
    folder = corpus.folders()["text"]
    marker = read_success(folder)
    spec = dict(marker["spec"])
    mark_success(folder, marker | {"spec": spec | {"vocabulary": 8000}})  # as it was written once
    corpus.write(notes(202))

    _, computed = corpus.extract()

    assert 10 < spec["vocabulary"] < 300
    assert computed == {"text": ["s200", "s201"]}
    assert read_success(folder)["spec"]["vocabulary"] == 8000


def test_refit_learns_anew_and_later_stages_use_what_it_learnt(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    corpus.extract()
    before = corpus.folders()["text"]
    corpus.write(notes(202))
    corpus.extract()

    report, computed = corpus.extract(refit=True)

    assert len(computed["text"]) == 202
    assert corpus.folders()["text"] != before
    assert not [line for line in report.found if "kept" in line]


@pytest.mark.parametrize(
    ("refit", "count", "is_kept"),
    [("auto", 240, False), ("never", 240, True), ("always", 202, False), ("auto", 210, True)],
)
def test_the_document_decides_how_much_may_change_before_it_is_learnt_anew(
    tmp_path, refit, count, is_kept
):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    corpus.data = {"refit": refit}
    corpus.extract()
    corpus.write(notes(count))

    _, computed = corpus.extract()

    assert len(computed["text"]) == (count - 200 if is_kept else count)


def test_what_was_learnt_from_a_payload_that_is_in_test_now_is_never_kept(tmp_path):
    corpus = Corpus(tmp_path, notes(200), text=TFIDF)
    corpus.data = {"refit": "never"}
    corpus.extract()
    rows = notes(200)
    rows[0]["part"] = "test"
    corpus.write(rows)

    _, computed = corpus.extract()

    assert len(computed["text"]) == 200


def test_a_changed_file_under_the_same_path_is_computed_alone_and_read_in_its_new_version(
    tmp_path,
):
    write_photos(tmp_path, 10)
    corpus = Corpus(tmp_path, notes(10, photo=lambda n: f"{n}.png"), image=PIXELS)
    corpus.extract()
    spec = spec_of(corpus.config.modalities["image"])
    before = read_features(corpus.folders()["image"], ["s3", "s4"], spec).values
    (tmp_path / "3.png").write_bytes(photo_payload(16, 12, seed=77))

    _, computed = corpus.extract()

    after = read_features(corpus.folders()["image"], ["s3", "s4"], spec).values
    assert computed == {"image": ["s3"]}
    assert (after[1] == before[1]).all()
    assert (after[0] != before[0]).any()


def test_a_payload_that_is_back_in_an_earlier_version_is_not_computed_again(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)
    corpus.extract()
    rows = notes(10)
    rows[3]["note"] = "something else"
    corpus.write(rows)
    corpus.extract()
    corpus.write(notes(10))

    _, computed = corpus.extract()

    assert computed == {}
    assert len(read_index(corpus.folders()["text"])) == 10


def test_a_changed_setting_computes_its_modality_alone(tmp_path):
    write_photos(tmp_path, 5)
    rows = notes(10, photo=lambda n: f"{n}.png" if n < 5 else None)
    corpus = Corpus(tmp_path, rows, text=HASHED, image=PIXELS)
    corpus.extract()
    corpus.modalities["image"] = PIXELS | {"decode": {"crop": "none"}}

    report, computed = corpus.extract()

    assert computed == {"image": ["s0", "s1", "s2", "s3", "s4"]}
    assert report.counts["modalities"]["text"]["computed"] == 0


def test_a_removed_sample_leaves_and_nothing_is_computed(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)
    corpus.extract()
    corpus.write(notes(9))

    report, computed = corpus.extract()

    assert computed == {}
    assert report.counts["modalities"]["text"]["extracted"] == 9
    assert "s9" not in read_index(corpus.folders()["text"])


def test_a_limit_that_is_raised_computes_what_it_had_rejected(tmp_path):
    write_photos(tmp_path, 10)
    (tmp_path / "3.png").write_bytes(photo_payload(64, 64))
    corpus = Corpus(tmp_path, notes(10, photo=lambda n: f"{n}.png"), image=PIXELS)
    corpus.data = {"max_payload_bytes": 2000}
    report, _ = corpus.extract()
    assert report.counts["modalities"]["image"]["rejected"] == {"too_large": 1}
    corpus.data = {"max_payload_bytes": 1_000_000}

    report, computed = corpus.extract()

    assert computed == {"image": ["s3"]}
    assert report.counts["modalities"]["image"]["rejected"] == {}


def test_retry_tries_rejected_payloads_again_and_no_others(tmp_path):
    write_photos(tmp_path, 10)
    (tmp_path / "3.png").write_bytes(b"no picture")
    corpus = Corpus(tmp_path, notes(10, photo=lambda n: f"{n}.png"), image=PIXELS)
    corpus.extract()

    report, computed = corpus.extract(retry=True)

    assert computed == {"image": ["s3"]}
    assert report.counts["modalities"]["image"]["rejected"] == {"image_unrecognised": 1}


@pytest.mark.parametrize("name", ["shard-*.parquet", "index.parquet"])
def test_a_deleted_file_is_noticed_by_later_stages_and_mended_by_extract(tmp_path, name):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)
    corpus.extract()
    folder = corpus.folders()["text"]
    before = read_features(folder, ["s0", "s5"], spec_of(corpus.config.modalities["text"]))
    next(folder.glob(name)).unlink()

    with pytest.raises(ExtractionError, match="are incomplete"):
        corpus.folders()
    corpus.extract()

    after = read_features(
        corpus.folders()["text"], ["s0", "s5"], spec_of(corpus.config.modalities["text"])
    )
    assert after.present.all()
    assert (after.values == before.values).all()


def test_another_document_on_the_same_workspace_does_not_take_samples_away_silently(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)
    corpus.extract()
    (tmp_path / "other").mkdir()
    corpus.write(notes(5))
    corpus.extract()
    corpus.write(notes(10))

    with pytest.raises(ExtractionError, match="other samples"):
        corpus.folders()
    _, computed = corpus.extract()

    assert computed == {}
    assert len(read_index(corpus.folders()["text"])) == 10


def test_redactions_are_counted_per_sample_and_stay_right_when_one_is_replaced(tmp_path):
    rows = notes(10)
    rows[0]["note"] = "write to ann@example.com or bob@example.com"
    rows[1]["note"] = "write to eve@example.com"
    corpus = Corpus(tmp_path, rows, text=HASHED | {"clean": {"redact": ["email"]}})
    report, _ = corpus.extract()
    assert report.counts["modalities"]["text"]["redacted"] == {"email": 3}
    rows[0]["note"] = "write to ann@example.com"
    corpus.write(rows)

    report, computed = corpus.extract()

    assert computed == {"text": ["s0"]}
    assert report.counts["modalities"]["text"]["redacted"] == {"email": 2}
    assert "  text redacted: 2 email" in report.found
    [row] = read_table(report, "extraction")
    assert row["redacted email"] == "2"


def test_how_fast_and_on_what_each_modality_was_extracted_is_tracked(tmp_path):
    corpus = Corpus(tmp_path, notes(10), text=HASHED)

    report, _ = corpus.extract()

    [row] = read_table(report, "extraction")
    assert {"seconds", "samples_per_s"} <= set(row)
    assert (row["modality"], row["extracted"], row["actors"]) == ("text", "10", "1")
    assert "tables/extraction.csv" in corpus.logged.files
    assert set(corpus.logged.metrics) <= {"usable"}


def test_what_was_rejected_is_a_table_that_names_sample_and_file(tmp_path):
    write_photos(tmp_path, 3)
    (tmp_path / "1.png").write_bytes(b"no picture")
    rows = notes(3, photo=lambda n: f"{n}.png")
    corpus = Corpus(tmp_path, rows, image={"column": "photo"} | PIXELS)
    corpus.data = {"max_rejected_fraction": 0.5}

    report, _ = corpus.extract()

    [row] = read_table(report, "rejections")
    assert (row["modality"], row["reason"], row["uri"]) == ("image", "image_unrecognised", "1.png")
    assert "tables/rejections.csv" in corpus.logged.files
