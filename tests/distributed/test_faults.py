"""A process that is killed, and a disk that is full, in the middle of an extraction."""

from dataclasses import replace

import numpy as np
import pytest

from mmray.config.text import TextConfig
from mmray.distributed.extraction import ExtractionPlan, Job, extract_all
from mmray.distributed.planning import ExtractionPool
from mmray.errors import ExtractionError
from mmray.features.build import build_extractor
from mmray.features.spec import spec_of
from mmray.features.store import find_gaps, read_features, shards_of, write_index
from mmray.features.store.verify import verify_folder

pytestmark = pytest.mark.ray
TEXTS = ["a", "b", "kill", "c", "fill", "d", "e", "f"]
TODO = [(f"s{row}", text, "k") for row, text in enumerate(TEXTS)]
KEYS = {sample: key for sample, _, key in TODO}
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
    (folder / "marker").unlink(missing_ok=True)
    expected = build_extractor(plan.config, None).extract([text.encode() for text in TEXTS])
    write_index(output, KEYS)
    np.testing.assert_array_equal(read_features(output, list(KEYS), plan.spec).values, expected)
    assert verify_folder(output) == []
    assert sum(1 for _ in output.iterdir()) == len(shards_of(output)) + 1  # and the index


def test_a_process_killed_in_the_middle_of_a_unit_changes_nothing(cluster, tmp_path):
    plan = make_plan(tmp_path, "Killed")
    heard = []

    extract_all([Job(plan, TODO, POOL)], on_unit=heard.append)

    assert (tmp_path / "marker").exists()
    assert [outcome.samples for outcome in heard] == [2, 2, 2, 2]
    check_whole(tmp_path, plan)


def test_a_full_disk_is_said_and_running_again_completes(cluster, tmp_path):
    plan = make_plan(tmp_path, "Full")
    (tmp_path / "marker").touch()
    heard = []

    with pytest.raises(ExtractionError, match="no space left for features in") as caught:
        extract_all([Job(plan, TODO, POOL)], on_unit=heard.append)
    (tmp_path / "marker").unlink()
    pending = find_gaps(tmp_path / "features", KEYS).samples
    todo = [sample for sample in TODO if sample[0] in pending]
    extract_all([Job(plan, todo, replace(POOL, actors=1))], on_unit=heard.append)

    assert "run again" in caught.value.hint
    assert {"s4", "s5"} <= pending < KEYS.keys()
    assert sum(outcome.samples for outcome in heard) == len(TODO)
    check_whole(tmp_path, plan)
