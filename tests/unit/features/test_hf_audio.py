import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModel

from mmray.config.modality.audio import AudioConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor
from mmray.features.spec import spec_of
from tests.support.corpora import SHARED
from tests.support.payload import clip_payload, tone

CLIPS = [tone(s, hz=200 + 500 * s, seed=int(9 * s)) for s in (0.9, 0.3, 1.2, 0.3, 0.55)]
FIXED = {"whisper": {"max_duration_s": 30}, "ast": {"max_duration_s": 1.29},
         "clap": {"max_duration_s": 2}, "clap_fusion": {"max_duration_s": 2}}  # fmt: skip
FAMILIES = ["wav2vec2", "wav2vec2_masked", "hubert", "wavlm", *FIXED]
POOLERS = ["ast", "clap", "clap_fusion"]


def audio(folder, decode=None, **extract):
    extract = {"kind": "hf_audio", "model": str(folder), "batch_size": 3, **extract}
    decode = FIXED.get(folder.name, {}) if decode is None else decode
    return AudioConfig(column="c", decode=decode, extract=extract)


def extract(config, clips=CLIPS, state=None):
    extractor = build_extractor(config, state)
    payloads = [clip_payload(clip, subtype="FLOAT") for clip in clips]
    return extractor.extract([extractor.decode(payload) for payload in payloads])


@torch.inference_mode()
def reference(folder, clip):
    """Hidden states and pooled output, by the means of transformers, one clip at a time."""
    front = AutoFeatureExtractor.from_pretrained(folder)
    network = AutoModel.from_pretrained(folder).eval()
    inputs = front(clip, sampling_rate=16_000, return_tensors="pt")
    network = getattr(network, "audio_model", network)
    if folder.name == "whisper":
        hidden = network.get_encoder()(inputs["input_features"]).last_hidden_state
        frames = -(-len(clip) // 320)  # a hop of 160, two frames for each hidden state
        return hidden[0, :frames].numpy(), None
    output = network(**inputs)
    hidden = output.last_hidden_state
    if hidden.ndim == 4:
        hidden = hidden.mean(dim=2).transpose(1, 2)
    pooled = getattr(output, "pooler_output", None)
    return hidden[0].numpy(), None if pooled is None else pooled[0].numpy()


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # WavLM
@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_transformers(audio_checkpoints, family):
    folder = audio_checkpoints[family]
    hidden = [reference(folder, clip)[0] for clip in CLIPS]

    sequences = extract(audio(folder, pooling="sequence"))
    means = extract(audio(folder, pooling="mean"))

    for row, expected in enumerate(hidden):
        np.testing.assert_allclose(sequences[row], expected, atol=1e-4)
        np.testing.assert_allclose(means[row], expected.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("family", POOLERS)
def test_the_pooled_output_is_the_model_s_own(audio_checkpoints, family):
    folder = audio_checkpoints[family]

    pooled = extract(audio(folder, pooling="pooled"))

    expected = [reference(folder, clip)[1] for clip in CLIPS]
    np.testing.assert_allclose(pooled, expected, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_company_in_a_batch_changes_no_feature(audio_checkpoints, family):
    config = audio(audio_checkpoints[family], batch_size=8)

    together = extract(config)
    alone = [extract(config, [clip])[0] for clip in CLIPS]

    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(extract(config, CLIPS[::-1])[::-1], alone, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clip_of_one_sample_has_a_finite_feature(audio_checkpoints, family):
    config = audio(audio_checkpoints[family], pooling="sequence")

    (feature,) = extract(config, [np.array([0.5], np.float32)])

    assert len(feature) >= 1
    assert np.isfinite(feature).all()


@pytest.mark.parametrize("family", ["wav2vec2", "wavlm", "ast", "clap"])
def test_a_sequence_of_fixed_segments_has_the_length_that_was_told(audio_checkpoints, family):
    config = audio(audio_checkpoints[family], {"segment_s": 1.0}, pooling="sequence")

    (feature,) = extract(config, [CLIPS[0]])

    assert feature.shape == spec_of(config).shape


def test_segments_become_a_step_each(audio_checkpoints):
    windows = {"windows": {"length_s": 0.4, "hop_s": 0.4}, "combine": "sequence"}
    folder = audio_checkpoints["wav2vec2"]

    (steps,) = extract(audio(folder, windows), [tone(0.8)])

    parts = extract(audio(folder), [tone(0.8)[:6_400], tone(0.8)[6_400:]])
    np.testing.assert_allclose(steps, parts, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "decode", "problem", "hint"),
    [
        ("wav2vec2", {"sample_rate_hz": 8_000}, "trained at 16000", "sample_rate_hz to 16000"),
        ("whisper", {"sample_rate_hz": 44_100}, "trained at 16000", "sample_rate_hz to 16000"),
        ("whisper", {}, "may last 600 s", "decode.segment_s to 30"),
        ("whisper", {"by_silence": {}}, "takes only the first 30 s", "max_duration_s to 30"),
        ("ast", {"segment_s": 2.0}, "may last 2 s", "segment_s to 1.295"),
        ("clap", {"windows": {"length_s": 3, "hop_s": 1}}, "may last 3 s", "length_s: 2, hop_s: 2"),
    ],
)
def test_decoding_that_does_not_fit_the_checkpoint_is_refused_before_work(
    audio_checkpoints, family, decode, problem, hint
):
    with pytest.raises(ConfigError, match=problem) as error:
        spec_of(audio(audio_checkpoints[family], decode))

    assert hint in error.value.hint


def test_a_pooled_output_that_the_model_does_not_have_is_refused(audio_checkpoints):
    with pytest.raises(ConfigError, match="has no pooled output") as error:
        spec_of(audio(audio_checkpoints["hubert"], pooling="pooled"))

    assert "mean or sequence" in error.value.hint


@pytest.mark.parametrize(
    ("family", "change", "problem"),
    [
        ("whisper", {"feature_size": 128}, "expects 80 mel bands, but its preprocessing gives 128"),
        ("whisper", {"chunk_length": 10}, "has 1500 positions"),
        ("ast", {"max_length": 1024}, "built for 128 frames"),
        ("clap", {"feature_size": 64}, "expects 16 mel bands"),
    ],
)
def test_preprocessing_of_another_model_is_refused(
    audio_checkpoints, tmp_path, family, change, problem
):
    shutil.copytree(audio_checkpoints[family], tmp_path / family)
    path = tmp_path / family / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(ConfigError, match=problem):
        spec_of(audio(tmp_path / family))


def test_a_checkpoint_that_tells_no_sample_rate_is_refused(audio_checkpoints, tmp_path):
    shutil.copytree(audio_checkpoints["hubert"], tmp_path / "bare")
    (tmp_path / "bare/preprocessor_config.json").unlink()

    with pytest.raises(ConfigError, match=r"no preprocessor_config\.json"):
        spec_of(audio(tmp_path / "bare"))


def test_an_exported_checkpoint_gives_the_same_features_without_the_original(
    audio_checkpoints, tmp_path
):
    shutil.copytree(audio_checkpoints["wavlm"], tmp_path / "original")
    config = audio(tmp_path / "original")
    before = extract(config)
    export_extractor(config, None, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    np.testing.assert_array_equal(before, extract(config, state=tmp_path / "bundle"))


YAMNET = SHARED / "weights/yamnet_audioset"


@pytest.mark.skipif(not YAMNET.is_dir(), reason="the real YAMNet is not here")
def test_a_real_yamnet_hears_what_real_recordings_are_of():
    """Of 40 recordings, the nearest other one by its features is of the same kind."""
    files = [
        path
        for kind in sorted((SHARED / "noise").glob("*/"))
        for path in sorted(kind.glob("*.ogg"))[:5]
    ]
    extractor = build_extractor(audio(YAMNET, {"max_duration_s": 30}, batch_size=16), None)

    features = np.stack(extractor.extract([extractor.decode(path.read_bytes()) for path in files]))

    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    likeness = unit @ unit.T - 2 * np.eye(len(unit))
    same = [files[row].parent == files[near].parent for row, near in enumerate(likeness.argmax(1))]
    assert features.shape == (40, 1024)
    assert np.mean(same) > 0.8


@pytest.mark.skipif(not YAMNET.is_dir(), reason="the real YAMNet is not here")
def test_patches_of_yamnet_are_as_many_as_was_told():
    config = audio(YAMNET, {"segment_s": 3.0}, pooling="sequence")

    (steps,) = extract(config, [CLIPS[0]])

    assert steps.shape == spec_of(config).shape == (5, 1024)
