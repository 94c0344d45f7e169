import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmray.data.demo_corpus.corpus import write_corpus
from mmray.data.demo_corpus.handwriting import load_scans
from mmray.data.demo_corpus.notes import write_note
from mmray.data.demo_corpus.plan import plan_samples
from mmray.errors import ConfigError, ManifestError

SAMPLES = 80
DIGIT_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
DIGIT_SIGNS = "0123456789０１２３４５６７８９零〇一二三四五六七八九两"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, samples=SAMPLES)
    return folder


@pytest.fixture(scope="module")
def entries(folder):
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def is_photo(path):
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def is_sound(path):
    try:
        waveform, _ = soundfile.read(path)
    except soundfile.LibsndfileError:
        return False
    return bool(np.isfinite(waveform).all() and np.abs(waveform).sum() > 0)


def read_all(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    write_corpus(tmp_path, samples=SAMPLES)

    assert read_all(tmp_path) == read_all(folder)


def test_another_seed_gives_another_corpus():
    assert plan_samples(SAMPLES, seed=1) != plan_samples(SAMPLES, seed=2)


def test_a_second_call_rewrites_nothing(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    first, second = (write_corpus(folder, samples=SAMPLES) for _ in range(2))

    assert first == second
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_other_settings_replace_the_corpus(tmp_path):
    write_corpus(tmp_path, samples=40)

    summary = write_corpus(tmp_path, samples=41)

    assert summary.samples == 41
    assert len(summary.manifest.read_text(encoding="utf-8").splitlines()) == 41


def test_a_manifest_of_the_user_is_never_overwritten(tmp_path):
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("mine\n")

    with pytest.raises(ManifestError, match="was not written by the embedded corpus"):
        write_corpus(tmp_path, samples=SAMPLES)

    assert manifest.read_text() == "mine\n"


def test_without_a_manifest_the_corpus_is_written_again(tmp_path):
    manifest = write_corpus(tmp_path, samples=40).manifest
    complete = manifest.read_bytes()
    manifest.unlink()
    (tmp_path / "photos").joinpath("s0001.jpg").write_bytes(b"half a fi")

    write_corpus(tmp_path, samples=40)

    assert manifest.read_bytes() == complete
    assert b"half a fi" not in read_all(tmp_path).values()


def test_a_corpus_that_could_not_be_completed_has_no_manifest(tmp_path):
    (tmp_path / "speech").write_text("a file where the recordings belong")

    with pytest.raises(FileExistsError):
        write_corpus(tmp_path, samples=40)

    assert not (tmp_path / "manifest.jsonl").exists()
    assert not (tmp_path / "corpus.json").exists()


def test_too_few_samples_are_refused_with_a_number(tmp_path):
    with pytest.raises(ConfigError, match="cannot be made with 12 samples") as refusal:
        write_corpus(tmp_path, samples=12)

    assert refusal.value.hint == "ask for 40 or more"


def test_every_media_ref_of_the_manifest_is_a_file(folder, entries):
    refs = {entry[column] for entry in entries for column in ("photo", "speech")} - {None}

    assert all((folder / ref).is_file() for ref in refs)


def test_a_tenth_of_each_modality_is_missing_and_never_a_whole_sample(entries):
    for column in ("photo", "speech", "note"):
        assert sum(entry[column] is None for entry in entries) == SAMPLES // 10
    assert all(entry["photo"] or entry["speech"] or entry["note"] for entry in entries)


def test_there_is_a_rate_exactly_where_there_is_speech(entries):
    for entry in entries:
        fields = [entry[name] is None for name in ("speech", "rate", "voice", "language")]
        assert len(set(fields)) == 1
    assert all(1 < entry["rate"] < 10 for entry in entries if entry["rate"])


def test_no_voice_is_heard_in_two_splits(entries):
    heard = {(entry["voice"], entry["split"]) for entry in entries if entry["voice"]}

    assert len({voice for voice, _ in heard}) == len(heard)


def test_both_languages_are_spoken_in_every_split(entries):
    spoken = {(entry["split"], entry["language"]) for entry in entries if entry["language"]}

    assert len(spoken) == 6


def test_no_scan_is_photographed_twice_or_crosses_splits():
    scans = [plan.scan for plan in plan_samples(1500, seed=7)]

    assert len(set(scans)) == 1500


def test_a_corpus_larger_than_the_scans_still_keeps_them_in_one_split():
    plans = plan_samples(2500, seed=7)

    owners = {(plan.scan, plan.split) for plan in plans}

    assert len(owners) == len({scan for scan, _ in owners}) == 1797


def test_missing_payloads_say_nothing_about_the_digit():
    digits = load_scans().digits
    plans = plan_samples(1500, seed=7)

    gaps = np.bincount([digits[plan.scan] for plan in plans if plan.missing], minlength=10)

    assert gaps.min() > gaps.mean() / 2
    assert gaps.max() < gaps.mean() * 2


@pytest.mark.parametrize("digit", range(10))
def test_a_note_never_names_a_digit(digit):
    rng = np.random.default_rng(digit)

    notes = " ".join(write_note(digit, rng=rng).lower() for _ in range(500))

    assert not [word for word in DIGIT_WORDS if word in notes]
    assert not set(DIGIT_SIGNS) & set(notes)


def test_notes_are_in_both_languages_about_equally_often():
    rng = np.random.default_rng(0)

    chinese = [not write_note(3, rng=rng).isascii() for _ in range(1000)]

    assert 0.45 < np.mean(chinese) < 0.55


def test_each_broken_file_does_not_decode_and_all_others_do(folder, entries):
    photos = [is_photo(folder / entry["photo"]) for entry in entries if entry["photo"]]
    speech = [is_sound(folder / entry["speech"]) for entry in entries if entry["speech"]]

    summary = write_corpus(folder, samples=SAMPLES)

    assert photos.count(False) == summary.image.broken == 5
    assert speech.count(False) == summary.audio.broken == 5
    assert photos.count(True) == summary.image.present
    assert speech.count(True) == summary.audio.present


def test_no_two_broken_files_are_broken_alike():
    damages = [kind for plan in plan_samples(SAMPLES, seed=7) for kind in plan.damages.values()]

    assert len({damage for _, damage in damages}) == 10


def test_a_sample_with_a_broken_file_keeps_its_other_payloads():
    broken = [plan for plan in plan_samples(SAMPLES, seed=7) if plan.damages]

    assert len(broken) == 10
    assert not any(plan.missing for plan in broken)


def test_photos_are_colour_and_recordings_mono_at_16_khz(folder, entries):
    intact = next(e for e in entries if e["photo"] and e["speech"] and e["note"])
    photo = Image.open(BytesIO(Path(folder / intact["photo"]).read_bytes()))
    recording = soundfile.info(folder / intact["speech"])

    assert (photo.mode, photo.size) == ("RGB", (320, 240))
    assert (recording.samplerate, recording.channels) == (16_000, 1)
    assert 1.6 < recording.duration < 1.8
