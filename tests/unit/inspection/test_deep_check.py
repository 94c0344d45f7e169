import json

import pytest

from mmray.data.manifest.normalise import normalise
from mmray.inspection.deep_check import check_deep
from mmray.inspection.deep_table import DeepRow, describe_deep, sum_up
from tests.support.document import make_config
from tests.support.payload import clip_payload, photo_payload, tone
from tests.support.table import read_table


@pytest.fixture
def corpus(tmp_path):
    """Four samples with a good photo, a broken one, one that is not there and none at all."""
    (tmp_path / "good.png").write_bytes(photo_payload(40, 40, 1))
    (tmp_path / "short.png").write_bytes(photo_payload(90, 90, 2)[:-300])
    (tmp_path / "tone.wav").write_bytes(clip_payload(tone(0.2)))
    photos = ["good.png", "short.png", "gone.png", None]
    rows = [
        {"sample_id": f"s{n}", "photo": photo, "note": f"note {n}", "speech": "tone.wav",
         "label": "ab"[n % 2], "split": "train"}
        for n, photo in enumerate(photos)
    ]  # fmt: skip
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_every_payload_is_decoded_and_told_by_format_and_outcome(corpus, tmp_path):
    config = make_config(
        data={"manifest": str(corpus), "split": {"column": "split"}},
        modalities={
            "text": {"column": "note"},
            "image": {"column": "photo", "extract": {"kind": "pixels"}, "encode": {"kind": "cnn"}},
            "audio": {"column": "speech"},
        },
        tasks={"label": {"kind": "classification", "column": "label"}},
    )

    rows = check_deep(config, normalise(read_table(config.data.manifest), config))

    found = [(r.modality, r.format, r.reason, r.payloads, r.example) for r in rows]
    assert found == [
        ("text", "text", "", 4, "s0"),
        ("image", "png", "", 1, "good.png"),
        ("image", "-", "not_found", 1, "gone.png"),
        ("image", "png", "image_truncated", 1, "short.png"),
        ("audio", "wav", "", 4, "tone.wav"),
    ]
    lines = list(describe_deep(rows))
    assert lines[0].split() == ["modality", "format", "payloads", "outcome", "for", "example"]
    assert "short.png: OSError: image file is truncated" in lines[4]


def test_the_sums_reconcile_and_too_many_rejections_are_a_warning():
    rows = [
        DeepRow("photo", "png", "", 3, "s0", ""),
        DeepRow("photo", "-", "not_found", 1, "s3", "gone"),
        DeepRow("photo", "png", "image_broken", 1, "s4", "OSError"),
        DeepRow("note", "text", "", 2, "s0", ""),
    ]

    assert list(sum_up(rows, 0.4)) == [
        "photo: 3 of 5 payloads decoded, 2 rejected",
        "note: 2 of 2 payloads decoded, 0 rejected",
    ]
    assert list(sum_up(rows, 0.3))[1] == (
        "warning: 'mmray extract' will fail at photo: more than data.max_rejected_fraction (0.3) "
        "of it is rejected"
    )


def test_what_a_decoder_said_at_length_is_cut_and_shows_it():
    row = DeepRow("photo", "png", "image_broken", 1, "s4", "x" * 500)

    assert list(describe_deep([row]))[1].endswith("s4: " + "x" * 113 + "...")


def test_speech_is_decoded_without_being_recognised(corpus, tmp_path):
    speech = tmp_path / "speech"
    speech.mkdir()
    (speech / "config.json").write_text('{"model_type": "wav2vec2", "hidden_size": 8}')
    (speech / "preprocessor_config.json").write_text('{"sampling_rate": 16000}')
    text = {"extract": {"kind": "tokens", "vocabulary": 90}}
    extract = {"kind": "transcript", "model": str(speech), "text": text}  # there are no weights
    config = make_config(
        data={"manifest": str(corpus), "split": {"column": "split"}},
        modalities={"audio": {"column": "speech", "extract": extract}},
        tasks={"label": {"kind": "classification", "column": "label"}},
    )

    (row,) = check_deep(config, normalise(read_table(config.data.manifest), config))

    assert (row.format, row.reason, row.payloads) == ("wav", "", 4)
