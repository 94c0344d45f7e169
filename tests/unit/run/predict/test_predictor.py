"""Predictions from records that anybody may send."""

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import mmray
from mmray.run.predict.predictor import load
from tests.support.bundle import make_bundle
from tests.support.process import die_after

SECRET = "root:x:0:0"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "in").mkdir()
    (folder / "in" / "cat.png").write_bytes(picture())
    (folder / "else").mkdir()
    (folder / "else" / "dog.png").write_bytes(picture(9))
    (folder / "secret").write_text(SECRET)
    return folder


@pytest.fixture(scope="module")
def model(bundle, corpus):
    return mmray.load(bundle, folder=corpus / "in")


def picture(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def like(rows, expected):
    """Rows are the same but for the last bits of numbers, which follow from the batch."""
    assert [(row["present"], row["rejected"]) for row in rows] == [
        (row["present"], row["rejected"]) for row in expected
    ]
    for row, other in zip(rows, expected, strict=True):
        one, two = (r["predictions"] and r["predictions"]["animal"] for r in (row, other))
        assert (one and one["label"]) == (two and two["label"])
        assert (one and one["probabilities"]) == pytest.approx(
            two and two["probabilities"], abs=1e-5
        )
    return True


def test_one_record_several_and_a_frame_give_a_row_per_record(model):
    records = [{"note": "a cat", "age": 3}, {"note": None, "age": 4}, {"age": None}]
    several = model.predict(records)
    frame = pd.DataFrame(records, index=[7, 3, 5])

    assert like(model.predict(records[0]), several[:1])
    assert model.predict(frame) == several
    assert model.predict(record for record in records) == several
    assert model.predict(pd.DataFrame(index=range(2))) == model.predict([{}, {}])
    assert [row["present"] for row in several] == [["text", "table"], ["table"], []]
    assert several[2]["predictions"] is None
    with pytest.raises(TypeError, match="not str"):
        model.predict("a cat")


def test_a_record_that_is_odd_costs_itself_alone(model):
    sound = {"note": "a cat"}
    odd = [
        "a bare string", None, 7, {"photo": {"deep": []}}, {"age": object()}, {"photo": np.eye(3)},
        {"photo": "\ud800.png"}, {"note": "half \ud800"}, {"age": 10**400}, {1: 2},
    ]  # fmt: skip
    rows = model.predict([sound, *odd, sound])

    assert len(rows) == len(odd) + 2
    assert like([rows[0], rows[-1]], model.predict(sound) * 2)
    assert rows[8]["present"] == ["text"]
    reasons = [{r["reason"] for r in row["rejected"].values()} for row in rows]
    assert reasons[1:8] == [
        {"wrong_type"}, {"wrong_type"}, {"wrong_type"}, {"wrong_type"}, {"table_bad_number"},
        {"wrong_type"}, {"not_found"},
    ]  # fmt: skip
    json.dumps(rows)


def test_bytes_and_data_uris_are_payloads(model, corpus):
    code = base64.b64encode(picture()).decode()
    (from_file,) = model.predict({"photo": "cat.png"})
    for payload in (picture(), f"data:image/png;base64,{code}", Path("cat.png")):
        assert model.predict({"photo": payload}) == [from_file]
    (row,) = model.predict({"photo": "data:image/png;base64,%%%"})
    assert row["rejected"]["image"]["reason"] == "not_base64"


def test_base64_is_a_payload_where_no_file_is_read(bundle, model, corpus):
    served = load(bundle, reads_files=False)
    code = base64.b64encode(picture()).decode()
    expected = model.predict({"photo": "cat.png"})

    spaced = code[:10] + "\n" + code[10:]
    safe = base64.urlsafe_b64encode(picture()).decode().rstrip("=")
    for payload in (code, spaced, safe, picture(), f"data:;base64,{code}"):
        assert served.predict({"photo": payload}) == expected
    for path in ("cat.png", "/etc/passwd", "file:///etc/passwd", "http://localhost/x", ""):
        (row,) = served.predict({"photo": path, "note": "a cat"})
        assert row["present"] == ["text"]
        reason = row["rejected"].get("image", {"reason": "missing"})["reason"]
        # "/etc/passwd" is base64 as well, of eight bytes that are no picture.
        assert reason in ("missing", "not_base64", "image_unrecognised")


def test_a_payload_is_no_larger_than_the_document_allows(tmp_path, corpus):
    small = make_bundle(
        tmp_path / "model", data={"manifest": "m.jsonl", "max_payload_bytes": 50},
        modalities={"text": {"column": "note"}, "image": {"column": "photo"}},
        tasks={"animal": {"kind": "classification", "column": "label"}},
    )  # fmt: skip
    code = base64.b64encode(picture()).decode()
    rows = load(small, reads_files=False).predict(
        [{"photo": code}, {"photo": picture()}, {"photo": f"data:,{'x' * 60}"}, {"note": "x" * 60}]
    )

    assert [one["reason"] for row in rows for one in row["rejected"].values()] == ["too_large"] * 4


@pytest.mark.parametrize("path", ["../secret", "{}/secret", "file://{}/secret", "link"])
def test_a_record_reads_nothing_outside_of_its_folder_and_quotes_nothing(model, corpus, path):
    if not (corpus / "in" / "link").is_symlink():
        (corpus / "in" / "link").symlink_to(corpus / "secret")
    (row,) = model.predict({"photo": path.format(corpus), "note": "a cat"})

    assert row["rejected"]["image"]["reason"] == "outside_corpus"
    assert row["present"] == ["text"]


def test_the_caller_decides_what_else_may_be_read(bundle, corpus):
    record = {"photo": str(corpus / "else" / "dog.png")}
    allowed = mmray.load(bundle, folder=corpus / "in", allow=[str(corpus / "else")])

    assert allowed.predict(record)[0]["present"] == ["image"]


def test_the_documents_own_list_is_kept_unless_the_caller_gives_another(tmp_path, corpus):
    bundle = make_bundle(
        tmp_path / "model", data={"manifest": "m.jsonl", "allow": [str(corpus / "else")]}
    )
    record = {"photo": str(corpus / "else" / "dog.png")}

    assert mmray.load(bundle, folder=corpus / "in").predict(record)[0]["present"] == ["image"]
    assert mmray.load(bundle, folder=corpus / "in", allow=[]).predict(record)[0]["present"] == []


def test_a_rejection_names_the_file_and_quotes_nothing_of_it(bundle, corpus):
    (corpus / "in" / "fake.png").write_text(SECRET * 9)
    (row,) = mmray.load(bundle, folder=corpus / "in").predict({"photo": "fake.png"})

    assert row["rejected"]["image"]["file"] == "fake.png"
    assert "root" not in json.dumps(row)


def test_a_server_that_forks_answers_from_each_process(model):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # which a fork does not have, and would wait for
    records = [{"photo": "cat.png", "note": "a cat"}] * 64
    expected = model.predict(records)

    fork = os.fork()
    if fork == 0:
        die_after(20)
        os._exit(0 if like(model.predict(records), expected) else 1)
    assert os.waitpid(fork, 0)[1] == 0
    assert like(model.predict(records), expected)
    torch.set_num_threads(threads)


def test_a_fork_does_not_wait_for_a_lock_that_another_thread_held(model):
    with model._lock:
        fork = os.fork()
        if fork == 0:
            die_after(20)
            model.predict({"note": "a cat"})
            os._exit(0)
    assert os.waitpid(fork, 0)[1] == 0


def test_an_alignment_answers_with_its_embeddings(tmp_path):
    bundle = make_bundle(
        tmp_path / "model",
        modalities={"text": {"column": "note"}, "table": {"numbers": ["age"]}},
        tasks={"pair": {"kind": "alignment", "size": 4}},
    )
    (row,) = mmray.load(bundle).predict({"note": "a cat"})

    (embedding,) = row["predictions"]["pair"]["embeddings"].values()
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)
    json.dumps(row)
