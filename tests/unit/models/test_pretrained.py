"""Checkpoints trained with the fusion."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.config.model.model import ModelConfig
from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
)
from mmray.config.task.task import ClassificationConfig
from mmray.config.training.train import TrainConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.image.network import VisionNetwork
from mmray.features.video.checkpoint import read_video_checkpoint
from mmray.features.video.hf_video import HFVideoExtractor
from mmray.models.batch_statistics import learning_norms
from mmray.models.build import build_encoder, build_model
from mmray.models.encoders.pretrained.text import checkpoint_ids
from mmray.models.pretrained_check import check_pretrained
from mmray.run.training_run import save_weights
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.validation import validate
from mmray.training.optimisation.optimizer import build_optimizer
from mmray.training.optimisation.schedule import set_learning_rate
from mmray.training.tasks.classification import ClassificationTask
from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import checkpoints
from tests.support.payload import clip_payload, tone
from tests.support.pretrained import (
    TEXTS,
    TONES,
    encoder_of,
    frozen_features,
    pixel_features,
    token_features,
    train_together,
    wave_features,
    whole,
    without_chance,
)
from tests.support.sample import make_features
from tests.support.text_checkpoint import text_checkpoints
from tests.support.video_checkpoint import video_checkpoints
from tests.support.vision_checkpoint import vision_checkpoints
from tests.support.workers import in_one_process, run_on_two

__all__ = [
    "audio_checkpoints",
    "checkpoints",
    "text_checkpoints",
    "video_checkpoints",
    "vision_checkpoints",
]


def text_encoder(path, **settings):
    features = token_features(path)
    return encoder_of(HFTextEncoderConfig(model=str(path), **settings), features), features


def learn(encoder, features, steps=40, lr=3e-3):
    """Train to tell the samples apart; return the loss before and after."""
    head = torch.nn.Linear(8, len(features.present))
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=lr)
    targets = torch.arange(len(features.present))
    losses = []
    for _ in range(steps):
        logits = head(encoder.train()(*whole(features)).pooled)
        losses.append(torch.nn.functional.cross_entropy(logits, targets))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    return float(losses[0].detach()), float(losses[-1].detach())


def weights_of(encoder):
    return {name: value.clone() for name, value in encoder.network.state_dict().items()}


def changed(before, encoder):
    after = encoder.network.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "clip", "siglip", "t5"])
def test_a_frozen_text_encoder_reads_what_the_frozen_extractor_gives(
    checkpoints, text_checkpoints, family, pooling
):
    if family in ("gpt2", "t5") and pooling == "cls":
        return
    path = (checkpoints | text_checkpoints)[family]
    encoder, features = (
        text_encoder(path, tune="frozen", pooling=pooling)
        if family != "siglip"
        else _siglip(path, pooling)
    )
    limit = features.spec.shape[0]
    extract = {"kind": "hf_text", "model": str(path), "pooling": pooling, "max_tokens": limit}

    pooled = encoder.read(*whole(features)).pooled

    expected = frozen_features(TextConfig, extract, [text.encode() for text in TEXTS])
    np.testing.assert_allclose(pooled.numpy(), expected, atol=1e-4)


def _siglip(path, pooling):
    features = token_features(path, max_tokens=16)
    config = HFTextEncoderConfig(model=str(path), tune="frozen", pooling=pooling)
    return encoder_of(config, features), features


@pytest.mark.parametrize("pooling", ["pooled", "mean"])
@pytest.mark.parametrize("family", ["vit", "resnet", "mobilenet_v2"])
def test_a_frozen_vision_encoder_reads_what_the_frozen_extractor_gives(
    checkpoints, family, pooling
):
    path, features = str(checkpoints[family]), pixel_features()
    config = HFImageEncoderConfig(model=path, tune="frozen", pooling=pooling)

    pooled = encoder_of(config, features).read(*whole(features)).pooled

    network = VisionNetwork(path, pooling=pooling, batch_size=4)
    expected = np.stack(network.extract(list(features.values)))
    np.testing.assert_allclose(pooled.numpy(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["wav2vec2", "wav2vec2_masked", "hubert", "wavlm", "whisper"])
def test_a_frozen_speech_encoder_reads_what_the_frozen_extractor_gives(audio_checkpoints, family):
    path, features = str(audio_checkpoints[family]), wave_features()
    encoder = encoder_of(HFAudioEncoderConfig(model=path, tune="frozen"), features)

    pooled = encoder.read(*whole(features)).pooled

    payloads = [clip_payload(tone(s, hz=hz)) for s, hz in TONES]
    expected = frozen_features(
        AudioConfig, {"kind": "hf_audio", "model": path}, payloads, decode={"max_duration_s": 30}
    )
    np.testing.assert_allclose(pooled.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("family", ["videomae", "timesformer", "vivit"])
def test_a_frozen_video_encoder_reads_what_the_frozen_extractor_gives(video_checkpoints, family):
    path = str(video_checkpoints[family])
    frames = FeatureSpec(Kind.VIDEO, "frames", (6, 32, 32, 3), "uint8")
    features = make_features(frames, np.ones(5, dtype=bool))
    encoder = encoder_of(HFVideoEncoderConfig(model=path, tune="frozen"), features)

    pooled = encoder.read(*whole(features)).pooled

    told = read_video_checkpoint(path)
    spec = FeatureSpec(Kind.VIDEO, "vector", (told.width,), "float32")
    extractor = HFVideoExtractor(
        spec, path, told.preprocess, bytes, frames=told.frames, batch_size=2
    )
    clips = np.split(features.values, features.offsets[1:-1])
    np.testing.assert_allclose(pooled.numpy(), np.stack(extractor.extract(clips)), atol=1e-4)


def test_full_moves_every_layer_and_learns(checkpoints):
    encoder, features = text_encoder(checkpoints["bert"])
    before = weights_of(encoder)

    first, last = learn(encoder, features)

    assert last < 0.5 * first
    assert changed(before, encoder) == set(before)


def test_last_layers_leaves_the_earlier_ones_as_they_were(checkpoints):
    encoder, features = text_encoder(checkpoints["bert"], tune="last_layers", layers=1)
    before = weights_of(encoder)

    first, last = learn(encoder, features)

    assert last < 0.5 * first
    assert changed(before, encoder) == {n for n in before if n.startswith("encoder.layer.1.")}


def test_lora_leaves_the_base_as_it_was_and_starts_from_it(checkpoints):
    encoder, features = text_encoder(checkpoints["bert"], tune="lora")
    plain, _ = text_encoder(checkpoints["bert"], tune="frozen")
    start = encoder.eval().read(*whole(features)).pooled
    before = weights_of(encoder)

    first, last = learn(encoder, features, lr=1e-2)

    torch.testing.assert_close(start, plain.eval().read(*whole(features)).pooled)
    assert last < 0.5 * first
    assert changed(before, encoder) == {name for name in before if ".lora_" in name}


def test_frozen_trains_only_what_is_new_and_never_drops_out(checkpoints):
    encoder, features = text_encoder(checkpoints["bert"], tune="frozen")
    before = weights_of(encoder)

    learn(encoder, features)

    assert changed(before, encoder) == set()
    one, two = (encoder.train().read(*whole(features)).pooled for _ in range(2))
    assert torch.equal(one, two)


def test_batch_normalisation_keeps_the_statistics_of_the_checkpoint(checkpoints):
    features = pixel_features()
    encoder = encoder_of(HFImageEncoderConfig(model=str(checkpoints["resnet"])), features)
    before = weights_of(encoder)

    learn(encoder, features, steps=5)

    moved = changed(before, encoder)
    assert "embedder.embedder.normalization.weight" in moved
    assert not [name for name in moved if "running" in name or "num_batches" in name]


def bright_quarters(count, *, seed):
    """Pictures of noise of which one quarter, the label, is brighter."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    pictures = rng.integers(0, 90, (count, 2, 16, 2, 16, 3))
    pictures[np.arange(count), labels // 2, :, labels % 2] += 120
    pixels = pictures.reshape(count, 32, 32, 3).astype(np.uint8)
    spec = FeatureSpec(Kind.IMAGE, "pixels", (32, 32, 3), "uint8")
    image = ModalityFeatures(spec, pixels, None, np.ones(count, dtype=bool))
    return Samples([str(row) for row in range(count)], {"image": image}, {"quarter": labels})


def test_a_checkpoint_that_was_never_trained_learns_with_its_statistics(vision_checkpoints):
    train, val, test = (bright_quarters(count, seed=count) for count in (128, 32, 96))
    tasks = {"quarter": ClassificationTask(ClassificationConfig(column="q"), tuple("0123"))}
    encode = HFImageEncoderConfig(model=str(vision_checkpoints["fresh"]), lr=3e-3)
    torch.manual_seed(0)
    model = build_model(
        ModelConfig(width=8), {"image": encode}, {"image": train.modalities["image"].spec},
        {"quarter": 4},
    )  # fmt: skip
    plan = TrainPlan(tasks, train, val, TrainConfig(epochs=5, batch_size=16, lr=3e-3))

    fit(model, plan, wrap=lambda view: view, on_epoch=lambda record: None)

    assert validate(model.eval(), test, plan)["quarter/accuracy"] > 0.9
    norms = learning_norms(model.train())
    assert norms
    assert all(norm.num_batches_tracked == 5 * 8 and norm.momentum == 0.1 for norm in norms)


def test_frames_that_only_pad_a_clip_are_in_nobody_s_statistics(vision_checkpoints):
    spec = FeatureSpec(Kind.VIDEO, "frames", (3, 32, 32, 3), "uint8")
    encode = HFImageEncoderConfig(model=str(vision_checkpoints["fresh"]))
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8, generator=generator)
    lengths = torch.tensor([3, 1])
    other = clips.clone()
    other[1, 1:] = 255

    seen = []
    for values in (clips, other):
        torch.manual_seed(0)
        encoder = build_encoder(encode, spec, width=8, name="video")
        encoder.train()(values, lengths)
        seen.append(encoder.state_dict())

    assert all(torch.equal(value, seen[1][name]) for name, value in seen[0].items())
    means = [value for name, value in seen[0].items() if name.endswith("running_mean")]
    assert all(mean.any() for mean in means)


@pytest.mark.parametrize("tune", ["frozen", "last_layers"])
def test_a_checkpoint_that_was_never_trained_is_not_frozen(vision_checkpoints, tune):
    model = str(vision_checkpoints["fresh"])
    encode = HFImageEncoderConfig(model=model, tune=tune)
    image = ImageConfig(column="i", encode=encode)
    spec = FeatureSpec(Kind.IMAGE, "pixels", (32, 32, 3), "uint8")

    with pytest.raises(ConfigError, match=f"no statistics, and tune: {tune}") as checked:
        check_pretrained({"image": image}, {"image": spec})
    with pytest.raises(ConfigError, match=f"no statistics, and tune: {tune}"):
        build_encoder(encode, spec, width=8, name="image")

    assert checked.value.where == "modalities.image.encode.model"
    assert "set encode.tune to full" in checked.value.hint


def test_the_seed_changes_only_what_is_new(checkpoints):
    features = token_features(checkpoints["bert"])
    config = HFTextEncoderConfig(model=str(checkpoints["bert"]))

    one, two = (encoder_of(config, features, seed=seed).state_dict() for seed in (0, 1))

    assert {name for name in one if not torch.equal(one[name], two[name])} == {
        "project.weight",
        "project.bias",
    }


def test_an_earlier_layer_learns_at_a_share_of_the_rate_of_the_next(checkpoints):
    encoder, _ = text_encoder(checkpoints["bert"], lr=1e-4, layer_decay=0.5)
    names = {weight: name for name, weight in encoder.network.named_parameters()}

    rates = {names[weight]: rate for weight, rate in encoder.learning_rates().items()}

    assert rates["encoder.layer.1.output.dense.weight"] == pytest.approx(1e-4)
    assert rates["encoder.layer.0.output.dense.weight"] == pytest.approx(0.5e-4)
    assert rates["embeddings.word_embeddings.weight"] == pytest.approx(0.25e-4)


def test_the_optimiser_moves_each_group_at_its_share_of_the_rate(checkpoints):
    encoder, _ = text_encoder(checkpoints["bert"], lr=1e-4)
    config = TrainConfig(lr=1e-3, weight_decay=0.1)

    optimizer = build_optimizer(encoder, config)
    set_learning_rate(optimizer, 5e-4)

    groups = [(g["lr"], g["weight_decay"], len(g["params"])) for g in optimizer.param_groups]
    matrices = [p for p in encoder.network.parameters() if p.dim() > 1]
    vectors = [p for p in encoder.network.parameters() if p.dim() == 1]
    assert groups == [
        (pytest.approx(5e-4), 0.1, 1),  # the affine map to the width
        (pytest.approx(5e-4), 0.0, 3),
        (pytest.approx(5e-5), 0.1, len(matrices)),
        (pytest.approx(5e-5), 0.0, len(vectors)),
    ]


def test_layers_are_never_left_out_at_random(vision_checkpoints):
    features = pixel_features()
    encoder = encoder_of(HFImageEncoderConfig(model=str(vision_checkpoints["swin"])), features)

    in_use = encoder.eval()(*whole(features)).pooled

    torch.testing.assert_close(encoder.train()(*whole(features)).pooled, in_use)


def test_recomputed_layers_give_the_same_gradients(checkpoints):
    gradients = []
    for recompute in (False, True):
        encoder, features = text_encoder(checkpoints["bert"], gradient_checkpointing=recompute)
        torch.manual_seed(3)  # of dropout
        encoder.train()(*whole(features)).pooled.square().sum().backward()
        gradients.append([p.grad for p in encoder.parameters()])

    torch.testing.assert_close(gradients[0], gradients[1])


@in_one_process
def test_two_workers_train_checkpoints_as_one_would(checkpoints, tmp_path):
    paths = str(without_chance(checkpoints["bert"], tmp_path / "bert")), str(checkpoints["resnet"])

    run_on_two(train_together, str(tmp_path), *paths)
    train_together(0, 1, str(tmp_path), *paths)

    alone, *together = (torch.load(tmp_path / f"weights-{n}.pt") for n in ("1-0", "2-0", "2-1"))
    for weights in together:
        torch.testing.assert_close(weights, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pad", [0, 3, None])
def test_ids_come_back_as_the_checkpoint_knows_them(pad):
    ids = np.arange(6)
    if pad is None:
        ours = ids + 1
    else:
        ours = ids.copy()
        ours[[0, pad]] = ours[[pad, 0]]

    back = checkpoint_ids(6 + (pad is None), pad)

    assert back[torch.from_numpy(ours)].tolist() == ids.tolist()


SAVED = [
    *((HFTextEncoderConfig, name) for name in ("bert", "gpt2", "t5", "clip")),
    *((HFImageEncoderConfig, name) for name in ("vit", "resnet", "siglip-vision")),
    *((HFAudioEncoderConfig, name) for name in ("wav2vec2", "wavlm", "whisper")),
    (HFVideoEncoderConfig, "vivit"),
]


@pytest.fixture(scope="module")
def made(checkpoints, text_checkpoints, vision_checkpoints, video_checkpoints, audio_checkpoints):
    """Every made checkpoint."""
    pictures = {"siglip-vision": vision_checkpoints["siglip"]}
    return checkpoints | text_checkpoints | pictures | video_checkpoints | audio_checkpoints


def features_for(config_class, path):
    if config_class is HFTextEncoderConfig:
        return token_features(path)
    if config_class is HFAudioEncoderConfig:
        return wave_features()
    if config_class is HFImageEncoderConfig:
        return pixel_features()
    clips = FeatureSpec(Kind.VIDEO, "frames", (4, 32, 32, 3), "uint8")
    return make_features(clips, np.ones(3, dtype=bool))


@pytest.mark.parametrize("tune", ["full", "lora", "frozen"])
@pytest.mark.parametrize(("config_class", "family"), SAVED, ids=[name for _, name in SAVED])
def test_saved_settings_and_weights_are_enough_without_the_checkpoint(
    made, tmp_path, config_class, family, tune
):
    features = features_for(config_class, made[family])
    config = config_class(model=str(made[family]), tune=tune)
    encoder = encoder_of(config, features)
    learn(encoder, features, steps=1)
    encoder.settings.save(tmp_path / "x")
    save_weights(encoder, tmp_path / "weights")
    gone = config.model_copy(update={"model": "/nowhere/at/all"})

    again = build_encoder(gone, features.spec, width=8, name="x", saved=tmp_path)
    again.load_state_dict(load_file(tmp_path / "weights"))

    one, two = (e.eval()(*whole(features)).pooled for e in (encoder, again))
    assert torch.equal(one, two)


def test_what_a_network_cannot_do_is_told(checkpoints):
    features = pixel_features()

    def refused(family="resnet", **settings):
        with pytest.raises(ConfigError) as caught:
            encoder_of(HFImageEncoderConfig(model=str(checkpoints[family]), **settings), features)
        return str(caught.value)

    assert "has no class token" in refused(pooling="cls")
    assert "cannot compute its layers again" in refused(gradient_checkpointing=True)
    assert "has 2 layers, not 9" in refused(tune="last_layers", layers=9)
    assert "MobileNetV2Model cannot have adapters" in refused("mobilenet_v2", tune="lora")
    said = refused(tune="lora", lora={"target": ["quary"]})
    assert "has no layer to adapt" in said
    assert "where: modalities.x.encode" in said


def test_a_picture_of_another_size_than_the_checkpoint_s_is_told(checkpoints):
    spec = FeatureSpec(Kind.IMAGE, "pixels", (48, 48, 3), "uint8")
    config = HFImageEncoderConfig(model=str(checkpoints["vit"]))

    with pytest.raises(ConfigError, match="cannot take a picture of 48 x 48"):
        build_encoder(config, spec, width=8, name="x")
