import shutil

import numpy as np
import pytest
from transformers import pipeline

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.text import TextConfig
from mmray.core.kind import Kind
from mmray.errors import ConfigError, ExtractionError
from mmray.features.audio.checkpoint.transcriber import Transcriber
from mmray.features.audio.transcript import TranscriptExtractor
from mmray.features.build import build_extractor, export_extractor, extractor_identity
from mmray.features.extractor import extract_batch
from mmray.features.fit import fit_extractor, fit_identity, needs_fit
from mmray.features.spec import fitted_spec, spec_of
from mmray.media.audio.segment import AudioClip
from tests.support.payload import clip_payload, tone

CLIPS = [tone(s, hz=200 + 900 * s, seed=int(9 * s)) for s in (0.3, 2.0, 0.7, 1.1)]
PAYLOADS = [clip_payload(clip, subtype="FLOAT") for clip in CLIPS]
TOKENS = {"extract": {"kind": "tokens", "vocabulary": 90, "max_tokens": 20}}
SPEECH = ["speech_whisper", "speech_ctc"]


def audio(folder, decode=None, text=TOKENS, **extract):
    extract = {
        "kind": "transcript", "model": str(folder), "max_new_tokens": 12, "text": text, **extract,
    }  # fmt: skip
    return AudioConfig(column="c", decode=decode or {"max_duration_s": 30}, extract=extract)


def transcriber(folder, beams=1, batch_size=3, language=None):
    return Transcriber(
        str(folder), language=language, max_new_tokens=12, beams=beams, batch_size=batch_size
    )


@pytest.mark.filterwarnings("ignore::UserWarning:transformers.*")
@pytest.mark.parametrize(("family", "beams"), [("speech_whisper", 1), ("speech_whisper", 5),
                                               ("speech_ctc", 1)])  # fmt: skip
def test_texts_are_those_of_transformers_own_pipeline(audio_checkpoints, family, beams):
    folder = audio_checkpoints[family]
    reference = pipeline("automatic-speech-recognition", model=str(folder))
    options = {"max_new_tokens": 12, "num_beams": beams}
    options = {"generate_kwargs": options} if family == "speech_whisper" else {}
    expected = [
        reference({"raw": clip, "sampling_rate": 16_000}, **options)["text"] for clip in CLIPS
    ]

    texts = transcriber(folder, beams)(CLIPS)

    assert texts == [text.strip() for text in expected]
    assert beams > 1 or len(set(texts)) > 1  # the clips are told apart


@pytest.mark.parametrize("family", SPEECH)
def test_company_in_a_batch_changes_no_text(audio_checkpoints, family):
    recognise = transcriber(audio_checkpoints[family])

    assert recognise(CLIPS) == [recognise([clip])[0] for clip in CLIPS]
    assert recognise(CLIPS[::-1]) == recognise(CLIPS)[::-1]


@pytest.mark.parametrize("family", SPEECH)
def test_the_feature_is_that_of_the_recognised_text(audio_checkpoints, family, tmp_path):
    config = audio(audio_checkpoints[family])
    texts = transcriber(audio_checkpoints[family])(CLIPS)
    inner = TextConfig(column="c", **TOKENS)
    fit_extractor(config, PAYLOADS, tmp_path / "audio")
    fit_extractor(inner, [text.encode() for text in texts], tmp_path / "text")

    extractor = build_extractor(config, tmp_path / "audio")
    features = extractor.extract([extractor.decode(payload) for payload in PAYLOADS])

    words = build_extractor(inner, tmp_path / "text")
    expected = words.extract([words.decode(text.encode()) for text in texts])
    for feature, other in zip(features, expected, strict=True):
        np.testing.assert_array_equal(feature, other)
    assert extractor.spec == fitted_spec(config, tmp_path / "audio")
    assert extractor.spec.kind == Kind.AUDIO
    assert extractor.spec.layout == "tokens"


def test_texts_of_segments_are_joined(audio_checkpoints):
    class Letters:
        spec = None

        def decode(self, payload):
            return payload.decode()

        def extract(self, decoded):
            return list(decoded)

    sizes = TranscriptExtractor(None, None, lambda found: [f"{len(s)}" for s in found], Letters())
    clips = [AudioClip((np.zeros(2), np.zeros(3))), AudioClip((np.zeros(1),))]

    assert sizes.extract(clips) == ["2 3", "1"]


def said(*texts, **clean):
    """What becomes of clips in which just these texts are recognised."""
    config = TextConfig(column="c", clean=clean, extract={"kind": "bow", "vocabulary": 5,
                                                          "hashing": True})  # fmt: skip
    words = build_extractor(config, None)
    waiting = iter(texts)
    extractor = TranscriptExtractor(
        words.spec,
        lambda payload: AudioClip((np.zeros(1),)),
        lambda found: [next(waiting) for _ in found],
        words,
    )
    batch = extract_batch(extractor, [b"clip"] * len(texts))
    return batch.reasons, [feature is not None for feature in batch.features]


def test_a_clip_in_which_nothing_is_said_is_rejected_and_moves_no_other():
    assert said("yes", "", "no") == (["", "audio_no_speech", ""], [True, False, True])
    assert said("", "") == (["audio_no_speech"] * 2, [False, False])


def test_a_text_that_the_cleaning_rejects_keeps_its_reason():
    assert said("a long story", "no", max_chars=5) == (["text_too_long", ""], [False, True])


def test_a_vocabulary_is_learnt_from_what_is_said_in_the_train_split(audio_checkpoints, tmp_path):
    config = audio(audio_checkpoints["speech_ctc"])
    own = {"extract": {"kind": "custom", "factory": "a:b"}}
    ready = audio(audio_checkpoints["speech_ctc"], text=own)
    assert needs_fit(config)
    assert not needs_fit(ready)

    fit_extractor(config, [*PAYLOADS, b"broken"], tmp_path / "a")
    fit_extractor(config, PAYLOADS, tmp_path / "b")
    fit_extractor(config, PAYLOADS[:1], tmp_path / "c")

    assert extractor_identity(config, tmp_path / "a") == extractor_identity(config, tmp_path / "b")
    assert extractor_identity(config, tmp_path / "a") != extractor_identity(config, tmp_path / "c")


def test_a_clip_that_does_not_come_to_an_end_teaches_nothing(audio_checkpoints, tmp_path):
    with pytest.raises(ExtractionError, match="no usable text"):
        fit_extractor(
            audio(audio_checkpoints["speech_ctc"]), PAYLOADS[:1], tmp_path, timeout_s=1e-6
        )


def test_another_speech_checkpoint_teaches_something_else(audio_checkpoints, tmp_path):
    shutil.copytree(audio_checkpoints["speech_ctc"], tmp_path / "speech")
    config = audio(tmp_path / "speech")
    before = fit_identity(config)
    assert before == fit_identity(config)
    assert before == fit_identity(audio(audio_checkpoints["speech_ctc"]))

    weights = tmp_path / "speech" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")

    assert fit_identity(config) != before


def test_a_train_split_without_sound_is_an_error(audio_checkpoints, tmp_path):
    with pytest.raises(ExtractionError, match="no usable text"):
        fit_extractor(audio(audio_checkpoints["speech_ctc"]), [b"broken"], tmp_path)


@pytest.mark.parametrize("family", SPEECH)
def test_an_exported_recogniser_gives_the_same_features_without_the_original(
    audio_checkpoints, family, tmp_path
):
    shutil.copytree(audio_checkpoints[family], tmp_path / "original")
    config = audio(tmp_path / "original")
    fit_extractor(config, PAYLOADS, tmp_path / "state")
    before = build_extractor(config, tmp_path / "state")
    expected = before.extract([before.decode(payload) for payload in PAYLOADS])
    export_extractor(config, tmp_path / "state", tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    after = build_extractor(config, tmp_path / "bundle")

    found = after.extract([after.decode(payload) for payload in PAYLOADS])
    for feature, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(feature, other)


def test_a_language_that_cannot_be_chosen_is_refused(audio_checkpoints):
    with pytest.raises(ConfigError, match="has no setting for the language 'fr'"):
        transcriber(audio_checkpoints["speech_ctc"], language="fr")


def test_clips_longer_than_a_whisper_hears_are_refused_before_work(audio_checkpoints):
    with pytest.raises(ConfigError, match="takes only the first 30 s"):
        spec_of(audio(audio_checkpoints["speech_whisper"], {"max_duration_s": 31}))


def test_more_tokens_than_there_are_positions_are_refused_before_work(audio_checkpoints):
    with pytest.raises(ConfigError, match=r"more than .* has positions for") as error:
        spec_of(audio(audio_checkpoints["speech_whisper"], max_new_tokens=61))

    assert "max_new_tokens to 60" in error.value.hint


def test_a_checkpoint_without_a_text_head_is_refused(audio_checkpoints):
    with pytest.raises(ConfigError, match="to recognise speech"):
        transcriber(audio_checkpoints["wav2vec2"])
