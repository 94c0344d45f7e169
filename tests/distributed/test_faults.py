"""A process that is killed, and a disk that is full, in the middle of an extraction."""

import numpy as np
import pytest

from mmray.config.modality.text import TextConfig
from mmray.distributed.extraction.extraction import ExtractionPlan, PooledJob, extract_all
from mmray.distributed.extraction.planning import ExtractionPool
from mmray.errors import ExtractionError
from mmray.features.spec import spec_of
from mmray.features.store import find_gaps, read_features, shards_of, write_index
from mmray.features.store.shard import read_columns
from tests.support.faults import numbers_of

pytestmark = pytest.mark.ray
TEXTS = ["a", "b", "kill", "c", "fill", "d", "e", "f"]
PENDING = [(f"s{row}", text, "k") for row, text in enumerate(TEXTS)]
KEYS = {sample: key for sample, _, key in PENDING}
POOL = ExtractionPool(
    actors=1, most_actors=1, cpus=1.0, gpus=0, threads=1, decoders=0, heap_gib=0.4
)


def make_plan(folder, factory):
    options = {"marker": str(folder / "marker")}
    extract = {"kind": "custom", "factory": f"tests.support.faults:{factory}", "options": options}
    config = TextConfig.model_validate({"column": "note", "extract": extract})
    return ExtractionPlan(
        name="text", config=config, spec=spec_of(config), state=None,
        output=str(folder / "features"), corpus=str(folder), allow=(),
        max_payload_bytes=2**20, max_decode_s=60.0,
    )  # fmt: skip


def check_whole(folder, plan):
    """The features are those of the pure function, each sample is there once."""
    output = folder / "features"
    write_index(output, KEYS)
    found = read_features(output, list(KEYS), plan.spec).values
    np.testing.assert_array_equal(found, [numbers_of(text.encode()) for text in TEXTS])
    stored = [read_columns(path, ["sample_id"])[0]["sample_id"] for path in shards_of(output)]
    assert sorted(sample for shard in stored for sample in shard.to_pylist()) == list(KEYS)
    assert len(list(output.iterdir())) == len(stored) + 1  # the index, and nothing half-written


def test_a_process_killed_in_the_middle_of_a_unit_changes_nothing(cluster, tmp_path):
    plan = make_plan(tmp_path, "Killed")
    heard = []

    extract_all([PooledJob(plan, PENDING, POOL)], on_shard=heard.append)

    assert (tmp_path / "marker").exists()
    assert [outcome.samples for outcome in heard] == [2, 2, 2, 2]
    check_whole(tmp_path, plan)


def test_a_full_disk_is_said_and_running_again_completes(cluster, tmp_path):
    plan = make_plan(tmp_path, "Full")
    (tmp_path / "marker").touch()
    heard = []

    with pytest.raises(ExtractionError, match="no space left for features in") as caught:
        extract_all([PooledJob(plan, PENDING, POOL)], on_shard=lambda _: None)
    (tmp_path / "marker").unlink()
    pending = find_gaps(tmp_path / "features", KEYS).samples
    todo = [sample for sample in PENDING if sample[0] in pending]
    extract_all([PooledJob(plan, todo, POOL)], on_shard=heard.append)

    assert "run again" in caught.value.hint
    assert {"s4", "s5"} <= pending < KEYS.keys()
    assert sum(outcome.samples for outcome in heard) == len(pending)
    check_whole(tmp_path, plan)
