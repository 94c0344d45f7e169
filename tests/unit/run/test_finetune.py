"""Checkpoints trained with the fusion, from the document to a bundle, in this process."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import mmray
from mmray.config.reading.load import load_config
from mmray.core.file.atomic import read_json
from mmray.core.kind import Split
from mmray.data.manifest.manifest import read_manifest
from mmray.errors import ConfigError
from mmray.inspection.check import check
from mmray.run.bundle.bundle import write_bundle
from mmray.run.bundle.ensemble import TrainedModel
from mmray.run.samples import load_samples
from mmray.run.training_job import TrainingJob
from mmray.run.training_run import WEIGHTS, load_run, load_tasks, train_run
from mmray.stages import extract, prepare
from mmray.stages.training.fingerprint import train_fingerprint
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from mmray.training.loop.predict import predict
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import checkpoints
from tests.support.document import write_lines
from tests.support.extraction import Here
from tests.support.payload import clip_payload, encode_image, tone
from tests.support.training import identity, ignore
from tests.support.video_checkpoint import video_checkpoints
from tests.support.workflow import CONFIGS

__all__ = ["audio_checkpoints", "checkpoints", "video_checkpoints"]

WORDS = {"a": "apple", "b": "boat"}


def write_corpus(folder):
    """Sixty samples of two classes that each modality tells, with noise."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(60):
        label = "ab"[number % 2]
        shade = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) // (1 if label == "a" else 3)
        (folder / f"{number}.png").write_bytes(encode_image(Image.fromarray(shade)))
        sound = clip_payload(tone(0.3, hz=300 if label == "a" else 1500))
        (folder / f"{number}.wav").write_bytes(sound)
        rows.append({
            "note": f"{WORDS[label]} {number}", "photo": f"{number}.png",
            "speech": f"{number}.wav", "digit": label, "split": ["train", "val", "test"][
                0 if number < 44 else 1 + number % 2],
        })  # fmt: skip
    return write_lines(folder / "manifest.jsonl", rows)


@pytest.fixture
def document(tmp_path, checkpoints):
    """The overrides that make finetune.yaml small: copies of checkpoints that can be removed."""
    for family in ("bert", "resnet"):
        shutil.copytree(checkpoints[family], tmp_path / "hub" / family)
    bert = tmp_path / "hub" / "bert"
    return [
        f"data.manifest={write_corpus(tmp_path / 'corpus')}",
        f"workspace={tmp_path / 'work'}",
        f"modalities.text.extract.tokenizer={bert}",
        f"modalities.text.encode.model={bert}",
        f"modalities.image.encode.model={tmp_path / 'hub' / 'resnet'}",
        "modalities.image.extract={kind: pixels, height: 32, width: 32}",
        "modalities.audio.extract={kind: log_mel, mels: 24}",
        "model.width=16",
        "train={epochs: 4, batch_size: 16, lr: 3.0e-3}",
    ]


def config_of(document, *more):
    return load_config(CONFIGS / "finetune.yaml", [*document, *more])


def plan_of(config, folder):
    tracker = MemoryTracker()
    workspace = Workspace(config)
    prepare.run(workspace, tracker)
    extract.run(workspace, tracker, compute=Here())
    inputs = workspace.extracted
    features = {name: str(feature.folder) for name, feature in inputs.features.items()}
    return inputs, TrainingJob(
        "fusion", config, str(workspace.prepared.path), features, 0, str(folder)
    )


def train(plan, on_epoch=ignore):
    train_run(plan, context=WorkerContext(), wrap=identity, on_epoch=on_epoch)


def test_a_bundle_predicts_from_raw_files_where_no_checkpoint_is(document, tmp_path):
    config = config_of(document)
    inputs, plan = plan_of(config, tmp_path / "run")
    train(plan)
    model = load_run(tmp_path / "run", config, inputs.features)
    trained = TrainedModel(config, tmp_path / "run", model)
    write_bundle(tmp_path / "bundle", [trained], features=inputs.features, metrics={})
    tasks = load_tasks(tmp_path / "run", config)
    manifest = read_manifest(plan.manifest)
    test = load_samples(manifest, Split.TEST, inputs.features, tasks, require_payload=False)
    expected = predict(model, test, tasks, batch_size=8, device=torch.device("cpu"))["digit"]
    shutil.rmtree(tmp_path / "hub")

    corpus = tmp_path / "corpus"
    rows = mmray.load(tmp_path / "bundle", folder=corpus).predict(
        [
            {
                "note": f"{WORDS['ab'[n % 2]]} {n}",
                "photo": f"{n}.png",
                "speech": f"{n}.wav",
            }
            for n in range(45, 60, 2)
        ]
    )

    found = [list(row["predictions"]["digit"]["probabilities"].values()) for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    losses = [line["metrics"]["train/loss"] for line in _lines(tmp_path / "run" / "epochs.jsonl")]
    assert losses[-1] < 0.7 * losses[0]


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_that_was_killed_goes_on_to_the_same_weights(document, tmp_path):
    _, plan = plan_of(config_of(document), tmp_path / "whole")
    _, killed = plan_of(config_of(document), tmp_path / "killed")
    train(plan)

    def die(record):
        if record.epoch == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(killed, die)
    train(killed)

    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("whole", "killed"))
    assert {name for name in one if not torch.equal(one[name], two[name])} == set()


def test_what_the_document_asks_for_is_done_to_the_train_split(document, tmp_path):
    losses = []
    for name, more in (("one", []), ("two", ["modalities.text.augment=[]"])):
        _, plan = plan_of(config_of(document, "train.epochs=1", *more), tmp_path / name)
        train(plan)
        losses.append(_lines(tmp_path / name / "epochs.jsonl")[0]["metrics"]["train/loss"])

    assert losses[0] != losses[1]


def test_augmentation_and_the_content_of_a_checkpoint_name_a_training(document, tmp_path):
    config = config_of(document)
    marks = {train_fingerprint(config, "x")}

    marks.add(train_fingerprint(config_of(document, "modalities.image.augment=[]"), "x"))
    weights = tmp_path / "hub" / "resnet" / "config.json"
    weights.write_text(weights.read_text() + " ")
    marks.add(train_fingerprint(config, "x"))

    assert len(marks) == 3


def test_the_document_is_checked_from_the_checkpoints_files_alone(document):
    report = check(config_of(document))

    assert "image: pixels gives pixels (32, 32, 3), encoded by hf_image" in report.found
    assert report.counts["features"]["text"]["vocabulary"] == 57


def test_checking_it_loads_no_torch(document):
    code = (
        "import sys; from pathlib import Path; from mmray.config.reading.load import load_config;"
        "from mmray.inspection.check import check;"
        f"check(load_config(Path({str(CONFIGS / 'finetune.yaml')!r}), {document!r}));"
        "assert not {'torch', 'transformers', 'peft', 'ray'} & set(sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def problem(document, *more):
    with pytest.raises(ConfigError) as caught:
        check(config_of(document, *more))
    return str(caught.value)


def test_what_a_checkpoint_does_not_fit_is_told_before_any_work(document, checkpoints, tmp_path):
    bert, vit = tmp_path / "hub" / "bert", checkpoints["vit"]
    other = tmp_path / "other"
    shutil.copytree(bert, other)
    text = (other / "tokenizer.json").read_text()
    (other / "tokenizer.json").write_text(text.replace('"a"', '"ä"'))
    waves = f"modalities.audio.encode={{kind: hf_audio, model: {bert}}}"

    said = problem(document, "modalities.text.extract={kind: tokens}")
    assert "takes only the ids of its own tokenizer, not of one that is trained here" in said
    assert f"set extract to {{kind: tokens, tokenizer: {bert}}}" in said
    assert "where: modalities.text.extract.tokenizer" in said
    assert "not of " + repr(str(other)) in problem(
        document, f"modalities.text.extract.tokenizer={other}"
    )
    assert "set max_tokens to 64 or less" in problem(
        document, "modalities.text.extract.max_tokens=65"
    )
    assert "a hf_text encoder cannot take vector" in problem(
        document, "modalities.text.extract={kind: bow}"
    )
    said = problem(
        document,
        f"modalities.image.encode={{kind: hf_image, model: {vit}}}",
        "modalities.image.extract.height=48",
    )
    assert "takes pictures of 32 x 32, not of 48 x 32" in said
    assert "has 2 layers, not 3" in problem(document, "modalities.image.encode.layers=3")
    assert "an hf_audio encoder takes samples, not what log_mel gives" in problem(document, waves)
    assert "there is no checkpoint folder" in problem(
        document, "modalities.image.encode.model=/nowhere/at/all"
    )


def test_layers_that_share_their_weights_are_one(document, tmp_path):
    config = tmp_path / "hub" / "bert" / "config.json"
    albert = {"model_type": "albert", "num_hidden_layers": 12, "num_hidden_groups": 1}
    config.write_text(json.dumps(read_json(config) | albert))
    last = "modalities.text.encode={{kind: hf_text, model: {}, tune: last_layers, layers: {}}}"

    assert "layers, not 2" in problem(document, last.format(config.parent, 2))
    assert check(config_of(document, last.format(config.parent, 1))).stage == "check"


def test_speech_is_checked_against_what_the_checkpoint_was_trained_on(document, audio_checkpoints):
    def spoken(checkpoint, decode="{}"):
        return (
            "modalities.audio.extract={kind: waveform}",
            f"modalities.audio.decode={decode}",
            f"modalities.audio.encode={{kind: hf_audio, model: {audio_checkpoints[checkpoint]}}}",
            "modalities.audio.augment=[]",
        )

    assert check(config_of(document, *spoken("wav2vec2"))).stage == "check"
    said = problem(document, *spoken("wav2vec2", "{sample_rate_hz: 8000}"))
    assert "where: modalities.audio.decode.sample_rate_hz" in said
    assert "set decode.sample_rate_hz to 16000" in said
    assert "takes no waveform" in problem(document, *spoken("ast"))
    thirty = "{max_duration_s: 30}"
    longer = "modalities.audio.extract.max_samples=480001"
    assert check(config_of(document, *spoken("whisper", thirty))).stage == "check"
    said = problem(document, *spoken("whisper", thirty), longer)
    assert "takes 480000 samples, not 480001" in said


def test_a_clip_is_checked_against_what_the_checkpoint_was_trained_on(document, video_checkpoints):
    clip = (
        "modalities.video={column: photo, extract: {kind: frames, height: 48, width: 32}, "
        f"encode: {{kind: hf_video, model: {video_checkpoints['vivit']}}}}}"
    )

    assert "takes pictures of 32 x 32, not of 48 x 32" in problem(document, clip)
    assert check(config_of(document, clip, "modalities.video.extract.height=32")).stage == "check"
    frozen = f"modalities.video.encode.model={video_checkpoints['vjepa2']}"
    assert "cannot be trained with the fusion" in problem(document, clip, frozen)


def test_a_tokenizer_with_more_tokens_than_the_network_knows_is_told(document, tmp_path):
    settings = tmp_path / "hub" / "bert" / "config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"vocab_size": 50}))

    assert "more tokens than the 50 that the network has" in problem(document)


def test_a_copy_of_the_checkpoint_s_tokenizer_is_as_good(document, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "hub" / "bert", copy)

    report = check(config_of(document, f"modalities.text.extract.tokenizer={copy}"))

    assert report.stage == "check"


def test_what_a_run_was_made_of_is_small(document, tmp_path):
    _, plan = plan_of(config_of(document, "train.epochs=1"), tmp_path / "run")

    train(plan)

    saved = sorted(path.relative_to(tmp_path / "run" / "encoders") for path in
                   (tmp_path / "run" / "encoders").rglob("*.*"))  # fmt: skip
    assert [str(path) for path in saved] == [
        "image/config.json", "image/encoder.json", "text/config.json", "text/encoder.json",
    ]  # fmt: skip
    assert read_json(tmp_path / "run" / "encoders" / "text" / "encoder.json") == {"pad": 0}
