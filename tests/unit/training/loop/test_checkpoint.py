import sys
from pathlib import Path

import pytest
import torch

from mmray.errors import TrainingError
from mmray.training.loop.checkpoint import (
    AVERAGE,
    MODEL,
    OPTIMIZER,
    PROGRESS,
    evaluated_weights,
    flatten_optimizer,
    load_latest,
    prune_checkpoints,
    restore_optimizer,
    save_checkpoint,
)
from mmray.training.loop.plan import EpochRecord
from mmray.training.loop.progress import Best, TrainingProgress


def save(folder, epochs, *, best=0, keep=2, size=2):
    records = tuple(EpochRecord(n, {"val/loss": 1.0 / (n + 1)}, ["a"], 0.5) for n in range(epochs))
    path = save_checkpoint(
        folder,
        model={"w": torch.full((size,), float(epochs))},
        optimizer={"0.step": torch.tensor(float(epochs))},
        progress=TrainingProgress(records, Best(best, 1.0), None),
        average={"w": torch.full((2,), -float(epochs))},
    )
    prune_checkpoints(folder, newest=keep, epochs=[best + 1])
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_and_the_best_are_kept(tmp_path):
    for epochs in range(1, 6):
        save(tmp_path, epochs, best=min(epochs, 2) - 1)

    assert names(tmp_path) == ["epoch-0002", "epoch-0004", "epoch-0005"]
    found = load_latest(tmp_path)
    assert found.progress.epoch == 5
    assert found.model["w"].tolist() == [5, 5]
    assert found.average["w"].tolist() == [-5, -5]
    assert found.best_model["w"].tolist() == [-2, -2]


def test_the_ten_thousandth_epoch_is_newer_than_the_one_before(tmp_path):
    for epochs in (9_999, 10_000):
        save(tmp_path, epochs, best=epochs - 1, keep=1)

    assert load_latest(tmp_path).progress.epoch == 10_000
    assert names(tmp_path) == ["epoch-10000"]


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, AVERAGE, PROGRESS])
@pytest.mark.parametrize("damage", ["truncated", "missing", "a bit flipped", "another's"])
def test_a_damaged_checkpoint_is_never_taken_and_is_replaced_later(tmp_path, name, damage):
    save(tmp_path, 1)
    path = save(tmp_path, 2) / name
    if damage == "missing":
        path.unlink()
    elif damage == "a bit flipped":
        content = path.read_bytes()
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif damage == "another's":
        other = save(tmp_path / "other", 3, size=5) / name
        path.write_bytes(b"{}" if name == PROGRESS else other.read_bytes())
    else:
        path.write_bytes(path.read_bytes()[:-5])

    assert load_latest(tmp_path).progress.epoch == 1
    save(tmp_path, 2)
    assert load_latest(tmp_path).progress.epoch == 2


def test_a_best_epoch_that_is_damaged_is_not_taken_for_the_model(tmp_path, caplog):
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    (path.with_name("epoch-0001") / AVERAGE).write_bytes(b"cut")

    assert load_latest(tmp_path) is None
    assert "epoch-0002 is skipped: a checkpoint that the best epochs need" in caplog.text
    with pytest.raises(TrainingError, match=r"average\.safetensors is not what was") as caught:
        evaluated_weights(tmp_path, 1)
    assert caught.value.where == str(tmp_path / "epoch-0001")


def test_a_checkpoint_that_was_being_written_is_never_taken_and_is_cleared(tmp_path):
    save(tmp_path, 1).rename(tmp_path / ".epoch-0002.tmp")

    assert load_latest(tmp_path) is None
    save(tmp_path, 2, best=1)
    assert names(tmp_path) == ["epoch-0002"]


def test_a_disk_that_is_full_is_an_error_and_the_checkpoint_before_stays_the_newest(
    tmp_path, small_files
):
    save(tmp_path, 1)

    with pytest.raises(
        TrainingError, match="the checkpoint of epoch 2 cannot be written"
    ) as caught:
        save(tmp_path, 2, size=5000)

    assert "File too large" in str(caught.value)
    assert "training resumes from the epoch before" in caught.value.hint
    assert names(tmp_path) == ["epoch-0001"]
    assert load_latest(tmp_path).model["w"].tolist() == [1, 1]


def test_no_folder_is_no_checkpoint(tmp_path):
    assert load_latest(tmp_path / "none") is None


def test_the_optimisers_state_survives_being_flattened():
    def make():
        weight = torch.nn.Parameter(torch.ones(3))
        return weight, torch.optim.AdamW([weight], lr=0.1)

    def step(weight, optimizer):
        optimizer.zero_grad()
        weight.pow(3).sum().backward()
        optimizer.step()

    weight, optimizer = make()
    step(weight, optimizer)
    copy, restored = make()
    copy.data.copy_(weight.data)
    restore_optimizer(restored, flatten_optimizer(optimizer))
    step(weight, optimizer)
    step(copy, restored)

    torch.testing.assert_close(copy, weight, atol=0, rtol=0)


def synced_before_named(folder):
    """Save a checkpoint; return what was on the disk when it got its name, and what was after."""
    synced, named = [], []

    def watch(frame, event, function):
        if event != "c_call" or getattr(function, "__module__", "") != "posix":
            return
        if function.__name__ == "fsync":
            file = Path("/proc/self/fd", str(frame.f_locals["descriptor"])).readlink()
            synced.append(file.name)
        if function.__name__ == "replace" and "save_checkpoint" in frame.f_code.co_name:
            named.append(len(synced))

    sys.setprofile(watch)
    try:
        save(folder, 1)
    finally:
        sys.setprofile(None)
    return set(synced[: named[0]]), set(synced[named[0] :])


def test_a_checkpoint_is_on_the_disk_before_it_gets_its_name_and_the_name_is_too(tmp_path):
    before, after = synced_before_named(tmp_path / "checkpoints")

    assert before == {MODEL, OPTIMIZER, AVERAGE, PROGRESS, ".epoch-0001.tmp"}
    assert after == {"checkpoints"}
