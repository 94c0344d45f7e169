"""Films with sound, two photos and a table: what is not in the demo, from files to predictions."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import mmray
from mmray.core.file.atomic import read_json
from tests.support.corpora import SHARED
from tests.support.two_photos import write_two_photos
from tests.support.video_corpus import CUT_OFF, SILENT, write_video_corpus
from tests.support.workflow import CONFIGS, run_here

pytestmark = [pytest.mark.e2e, pytest.mark.ray]


def test_a_film_and_its_sound_from_one_column_tell_what_neither_tells_alone(cluster, tmp_path):
    manifest = write_video_corpus(tmp_path / "films")

    run_here(
        CONFIGS / "video_sound.yaml", f"data.manifest={manifest}", f"workspace={tmp_path / 'w'}",
        "train.workers=1", "evaluation.seeds=1",
    )  # fmt: skip
    report = read_json(tmp_path / "w" / "report.json")

    assert report["modalities"]["audio"]["rejected"] == {
        "audio_no_stream": len(SILENT), "audio_truncated": 1,
    }  # fmt: skip
    assert report["modalities"]["video"]["rejected"] == {"video_truncated": 1}
    accuracy = {name: m["label"]["accuracy"] for name, m in report["metrics"].items()}
    assert accuracy["fusion"] > max(accuracy["audio"], accuracy["video"]) + 0.2
    model = mmray.load(tmp_path / "w" / "model", folder=tmp_path)
    first = str(next((tmp_path / "films" / "clips").glob("*.mp4")).rename(tmp_path / "moved.mp4"))
    cut_off = str(next((tmp_path / "films" / "clips").glob(f"*{CUT_OFF:03d}*")))
    good, bad = model.predict([{"clip": first}, {"clip": cut_off}])
    assert good["predictions"]["label"]["label"] in {
        "left low",
        "left high",
        "right low",
        "right high",
    }
    assert (bad["predictions"], set(bad["rejected"])) == (None, {"audio", "video"})


def test_two_photos_and_a_table_are_three_modalities(cluster, tmp_path):
    manifest = write_two_photos(tmp_path / "parts", samples=240)

    run_here(
        CONFIGS / "photos_table.yaml", f"data.manifest={manifest}", f"workspace={tmp_path / 'w'}",
        "train.workers=1", "train.epochs=12", "evaluation.seeds=1", "evaluation.alone=false",
    )  # fmt: skip
    report = read_json(tmp_path / "w" / "report.json")

    assert list(report["modalities"]) == ["front_camera", "side_camera", "table"]
    assert report["modalities"]["table"]["rejected"] == {"table_bad_number": 1}
    assert report["modalities"]["front_camera"]["rejected"] == {"image_unrecognised": 1}
    assert report["metrics"]["fusion"]["grade"]["accuracy"] > 0.45
    shutil.move(tmp_path / "parts", tmp_path / "elsewhere")
    model = mmray.load(tmp_path / "w" / "model", folder=tmp_path)
    number, text = model.predict(
        [{"weight_g": 180.5, "supplier": "north"}, {"weight_g": "180.5", "supplier": "north"}]
    )
    probabilities = [row["predictions"]["grade"]["probabilities"] for row in (number, text)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-6)
    assert number["present"] == ["table"]
    photos = [{"front": str(path)} for path in sorted((tmp_path / "elsewhere").rglob("*front.png"))]
    alone = [model.predict([photo]) for photo in photos[1:9]]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda photo: model.predict([photo]), photos[1:9]))
    assert at_once == alone


@pytest.mark.skipif(not (SHARED / "cxr").is_dir(), reason="needs the radiographs")
def test_radiographs_with_notes_run_split_by_patient(cluster, tmp_path):
    run_here(
        CONFIGS / "cxr_note.yaml", f"workspace={tmp_path / 'w'}",
        f"data.manifest={SHARED / 'cxr' / 'hannover' / 'manifest.csv'}",
        "train.epochs=1", "train.workers=1", "evaluation.seeds=1", "evaluation.alone=false",
    )  # fmt: skip
    report = read_json(tmp_path / "w" / "report.json")

    assert (report["samples"], report["unusable"]) == (243, 0)
    assert 0 <= report["metrics"]["fusion"]["icu"]["accuracy"] <= 1


@pytest.mark.skipif(not (SHARED / "fsdd").is_dir(), reason="needs the spoken digits")
def test_spoken_digits_are_learnt_with_their_speakers(cluster, tmp_path):
    run_here(
        CONFIGS / "spoken_digits.yaml", f"workspace={tmp_path / 'w'}",
        f"data.manifest={SHARED / 'fsdd' / 'manifest.csv'}",
        "train.epochs=1", "train.workers=1", "evaluation.seeds=1", "evaluation.alone=false",
    )  # fmt: skip
    report = read_json(tmp_path / "w" / "report.json")

    assert report["samples"] == 3000
    assert report["metrics"]["fusion"]["speaker"]["accuracy"] > 0.5
