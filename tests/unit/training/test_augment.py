"""Random changes to train batches."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from mmray.config.reading.load import check_document
from mmray.config.training.augment import (
    SpecAugmentConfig,
    TimeShiftAugmentConfig,
    WordDropoutAugmentConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.models.feature_batch import FeatureBatch
from mmray.models.fit_check import check_augment
from mmray.training.augment.augment import Shares, augment_batch, augmented
from mmray.training.augment.build import build_step
from mmray.training.augment.picture import Colour, Crop, Flip, ResizedCrop
from mmray.training.augment.sequence import SpecAugment, TimeShift, spans
from mmray.training.augment.tokens import WordDropout
from mmray.training.augment.unknown import unknown_and_droppable
from mmray.training.data.epoch import eval_indices, train_batches
from mmray.training.data.sampling import shuffled
from tests.support.checkpoint import WORDS, checkpoints
from tests.support.document import make_document
from tests.support.sample import SPECS, make_features, make_samples

__all__ = ["checkpoints"]


def pictures(count=4, height=10, width=14):
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def luck_of(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def pil(picture):
    return Image.fromarray(picture.numpy())


def test_a_crop_moves_the_picture_by_whole_pixels_and_leaves_black():
    one = pictures(1)

    down_left = Crop(2).change(one, luck_of([0.99, 0.2]))  # by +2 and -1

    padded = np.pad(one[0].numpy(), ((2, 2), (2, 2), (0, 0)))
    np.testing.assert_array_equal(down_left[0].numpy(), padded[4 : 4 + 10, 1 : 1 + 14])


def test_every_move_of_a_crop_is_as_likely():
    numbers = torch.rand(5000, 2, generator=torch.Generator().manual_seed(0))
    marked = torch.zeros(1, 7, 7, 3, dtype=torch.uint8)
    marked[0, 3, 3] = 255

    moved = Crop(1).change(marked.expand(5000, -1, -1, -1), numbers)

    shares = (moved[..., 0] > 0).float().mean(dim=0)[2:5, 2:5]
    torch.testing.assert_close(shares, torch.full((3, 3), 1 / 9), atol=0.015, rtol=0)


def test_a_resized_crop_is_pillow_s_enlarged_box():
    one = pictures(1, 16, 16)
    step = ResizedCrop((0.25, 0.25), (1.0, 1.0))
    luck = luck_of([0.5, 0.5, 0.5, 1.0])  # half of each side; a quarter from the top, at the right

    seen = step.change(one, luck)

    assert step.boxes(luck).tolist() == [[0.25, 0.5, 0.5, 0.5]]
    expected = np.asarray(pil(one[0]).resize((16, 16), Image.Resampling.BILINEAR, (8, 4, 16, 12)))
    inner = slice(1, -1)  # at its rim the box of Pillow sees nothing of what lies outside
    difference = seen[0].numpy().astype(int) - expected
    assert np.abs(difference[inner, inner]).max() <= 1


def test_the_boxes_of_resized_crops_have_the_area_and_the_ratio_asked_for():
    numbers = torch.rand(2000, 4, generator=torch.Generator().manual_seed(0))

    top, left, height, width = ResizedCrop((0.2, 0.5), (0.75, 4 / 3)).boxes(numbers).T

    area, ratio = height * width, width / height
    assert 0.2 <= area.min() < 0.21
    assert 0.49 < area.max() <= 0.5
    assert float(area.mean()) == pytest.approx(0.35, abs=0.01)
    assert 0.75 <= ratio.min() < 0.76
    assert float(ratio.log().mean()) == pytest.approx(0.0, abs=0.01)
    assert (top >= 0).all()
    assert (top + height <= 1 + 1e-6).all()
    assert (left + width).max() <= 1 + 1e-6


def test_a_flip_mirrors_as_many_as_its_probability():
    some = pictures(4)

    flipped = Flip(0.5).change(some, luck_of([0.49], [0.5], [0.0], [0.99]))

    for row, is_mirrored in enumerate([True, False, True, False]):
        expected = some[row].flip(1) if is_mirrored else some[row]
        assert torch.equal(flipped[row], expected)


@pytest.mark.parametrize(
    ("strengths", "enhance"),
    [
        ((0.4, 0.0, 0.0), ImageEnhance.Brightness),
        ((0.0, 0.4, 0.0), ImageEnhance.Contrast),
        ((0.0, 0.0, 0.4), ImageEnhance.Color),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_colour_is_pillow_s_enhancement(strengths, enhance, chance):
    one = pictures(1, 32, 32)

    changed = Colour(*strengths).change(one, luck_of([chance] * 3))

    factor = 1 + (2 * chance - 1) * 0.4
    expected = np.asarray(enhance(pil(one[0])).enhance(factor)).astype(int)
    assert np.abs(changed[0].numpy() - expected).max() <= 1


def test_all_frames_of_a_clip_change_alike_and_clips_differ():
    frame = pictures(1)[0]
    clips = FeatureBatch(frame.expand(2, 3, -1, -1, -1).clone(), torch.tensor([3, 2]))
    numbers = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))

    for step in (Crop(3), ResizedCrop((0.3, 0.9), (0.8, 1.2)), Colour(0.5, 0.5, 0.5)):
        seen = step(clips, numbers[:, : step.numbers]).values
        assert torch.equal(seen[:, 0], seen[:, 1])
        assert torch.equal(seen[:, 0], seen[:, 2])
        assert not torch.equal(seen[0], seen[1])
        assert not torch.equal(seen[0, 0], frame)


def test_a_span_has_the_length_and_the_place_that_its_numbers_say():
    lengths, longest = torch.tensor([10, 6]), torch.tensor([4, 2])

    found = spans(luck_of([0.99, 0.0], [0.5, 0.99]), lengths, longest, 10)

    assert found[0].nonzero()[:, 0].tolist() == [0, 1, 2, 3]  # 4 of 0..4, the first of 7 positions
    assert found[1].nonzero()[:, 0].tolist() == [5]  # 1 of 0..2, the last of 6 positions


def test_spec_augment_hides_spans_behind_the_mean_of_the_train_split():
    features = make_features(SPECS["sequence"], np.ones(4, dtype=bool))
    config = SpecAugmentConfig(time_width=3, time_share=1.0, frequency_masks=1, frequency_width=2)
    step = build_step(config, features, tokenizer="")
    values, lengths = features.batch(np.arange(4))
    numbers = torch.rand(4, step.numbers, generator=torch.Generator().manual_seed(1))

    seen = step(FeatureBatch(values, lengths), numbers).values

    mean = torch.from_numpy(features.values.mean(axis=0))
    hidden = seen != values
    assert hidden.any()
    torch.testing.assert_close(seen[hidden], mean.expand_as(seen)[hidden])
    columns = hidden.all(dim=1).sum(dim=1)
    assert columns.max() <= 2


def test_a_time_mask_hides_no_more_than_its_share_of_a_short_clip():
    step = SpecAugment(
        torch.full((5,), 9.0),
        time_masks=1, time_width=100, time_share=0.25, frequency_masks=0, frequency_width=1,
    )  # fmt: skip
    batch = FeatureBatch(torch.zeros(2, 40, 5), torch.tensor([40, 8]))

    seen = step(batch, luck_of([0.999, 0.5], [0.999, 0.5])).values

    assert (seen[:, :, 0] == 9).sum(dim=1).tolist() == [10, 2]
    assert (seen[1, 8:] == 0).all()


def test_a_time_shift_turns_a_clip_around_its_own_end():
    values = torch.zeros(2, 6, 1)
    values[0, :, 0] = torch.arange(6.0)
    values[1, :4, 0] = torch.arange(4.0)
    step = TimeShift(0.34)  # by up to 2 of 6 steps, and 1 of 4

    seen = step(FeatureBatch(values, torch.tensor([6, 4])), luck_of([0.99], [0.0])).values

    assert seen[0, :, 0].tolist() == [4, 5, 0, 1, 2, 3]
    assert seen[1, :, 0].tolist() == [1, 2, 3, 0, 0, 0]


def test_word_dropout_replaces_as_many_tokens_as_it_says_and_never_what_frames_a_text(checkpoints):
    source = str(checkpoints["bert"])
    unknown, may_drop = unknown_and_droppable(source, len(WORDS))
    ids = torch.tensor([2, *range(10, 28), 3] + [0] * 4, dtype=torch.int32).repeat(500, 1)
    numbers = torch.rand(500, 24, generator=torch.Generator().manual_seed(0))

    seen = WordDropout(0.3, unknown, may_drop, 24)(FeatureBatch(ids, None), numbers).values

    assert unknown == 1
    assert seen.dtype == torch.int32
    kept = [0, 19, 20, 21, 22, 23]
    assert torch.equal(seen[:, kept], ids[:, kept])
    assert float((seen[:, 1:19] == 1).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert ((seen == ids) | (seen == 1)).all()


def test_a_tokenizer_that_is_numbered_anew_has_its_unknown_and_framing_ids_found(
    checkpoints, tmp_path
):
    import tokenizers

    vocabulary = {"<unk>": 0, "a": 1, "<pad>": 2}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="<unk>")
    tokenizers.Tokenizer(model).save(str(tmp_path / "tokenizer.json"))

    unknown, may_drop = unknown_and_droppable(str(tmp_path), 3)

    assert unknown == 2  # it has changed positions with the padding
    assert may_drop.tolist() == [False, True, True]


STEPS = {
    "image": [Crop(2), Colour(0.4, 0.4, 0.4)],
    "audio": [TimeShift(0.4)],
}


def epoch_of(samples, *, rank=0, world=1, epoch=0, seed=0, steps=STEPS):
    order = shuffled(len(samples), seed=seed, epoch=epoch)
    batches = train_batches(samples, order, batch_size=8, rank=rank, world=world)
    return list(
        augmented(batches, steps, Shares(len(samples), 8, rank, world), seed=seed, epoch=epoch)
    )


def pixels_of(batches):
    return torch.cat([batch.features["image"].values for batch in batches])


def test_two_workers_see_what_one_would_have_seen():
    samples = make_samples(21)
    alone = epoch_of(samples)

    shares = [epoch_of(samples, rank=rank, world=2) for rank in (0, 1)]

    for step, whole in enumerate(alone):
        joined = torch.cat([share[step].features["image"].values for share in shares])
        assert torch.equal(joined, whole.features["image"].values)


def test_an_epoch_is_repeated_exactly_and_another_one_changes_a_batch_otherwise():
    samples = make_samples(8, absent=0.0)
    batch = samples.batch(np.arange(8))

    def seen(epoch):
        changed = augmented([batch], STEPS, Shares(8, 8, 0, 1), seed=0, epoch=epoch)
        return pixels_of(changed)

    assert torch.equal(seen(0), seen(0))
    assert not torch.equal(seen(0), seen(1))


def test_the_same_sample_changes_otherwise_in_another_seed_epoch_step_and_place():
    samples = make_samples(4, absent=0.0)
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    batch = samples.batch(np.array([2, 2]))

    seen = [
        augment_batch(batch, STEPS, key=key, total=2, rows=np.arange(2)).features["image"].values
        for key in keys
    ]

    changed = torch.cat(seen).flatten(1)
    assert len(changed.unique(dim=0)) == 2 * len(keys)


def test_another_modality_beside_it_changes_no_augmentation():
    samples = make_samples(16)

    both, one = epoch_of(samples), epoch_of(samples, steps={"image": STEPS["image"]})

    assert torch.equal(pixels_of(both), pixels_of(one))


def test_samples_and_evaluation_are_never_changed():
    samples = make_samples(16)
    before = samples.modalities["image"].values.copy()

    epoch_of(samples)

    np.testing.assert_array_equal(samples.modalities["image"].values, before)
    [indices] = eval_indices(samples, batch_size=99, rank=0, world=1)
    seen = samples.batch(indices)
    present = samples.modalities["image"].present
    order = np.argsort(samples.lengths(), kind="stable")
    np.testing.assert_array_equal(
        seen.features["image"].values.numpy()[present[order]], before[order][present[order]]
    )


def checked(modality, spec):
    document = make_document(modalities={"x": modality})
    config = check_document(document, where="x.yaml")
    check_augment(config.modalities, {"x": spec})


def test_augmentation_that_does_not_fit_its_features_is_refused():
    vector = FeatureSpec(Kind.IMAGE, "vector", (6,), "float32")
    flip = {"kind": "image", "column": "c", "augment": [{"kind": "flip"}]}
    hide = {"kind": "audio", "column": "c", "augment": [{"kind": "spec_augment"}]}
    narrow = FeatureSpec(Kind.AUDIO, "sequence", (50, 8), "float32")

    with pytest.raises(ConfigError, match=r"flip cannot change vector") as caught:
        checked(flip, vector)
    assert caught.value.where == "modalities.x.augment.0"
    with pytest.raises(ConfigError, match=r"frequency_width \(8\) could hide all"):
        checked(hide, narrow)
    with pytest.raises(ConfigError, match="unknown kind 'flip'"):
        checked(hide | {"augment": [{"kind": "flip"}]}, narrow)


def test_every_step_of_a_document_is_built(checkpoints):
    tokens = make_features(SPECS["tokens"], np.ones(2, dtype=bool))
    sequence = make_features(SPECS["sequence"], np.ones(2, dtype=bool))

    shift = build_step(TimeShiftAugmentConfig(share=0.3), sequence, tokenizer="")
    drop = build_step(WordDropoutAugmentConfig(), tokens, tokenizer=str(checkpoints["bert"]))

    assert shift.numbers == 1
    assert drop.numbers == SPECS["tokens"].shape[0]
