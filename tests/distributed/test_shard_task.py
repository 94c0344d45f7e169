"""How samples are cut into tasks."""

import pytest

from mmray.distributed.extraction.extraction import SHARDS_PER_RAY_TASK, cut_tasks
from mmray.distributed.extraction.shard_task import (
    SHARD_SAMPLES,
    cut_shard_tasks,
    pack_shard_task,
    unpack_shard_task,
)

pytestmark = pytest.mark.ray  # beside the engine's other tests


@pytest.mark.parametrize(("samples", "actors", "largest"), [(10, 2, 2), (3, 8, 1), (5000, 2, 256)])
def test_every_actor_gets_a_few_units_and_none_is_huge(samples, actors, largest):
    todo = [(f"s{n}", f"{n}.jpg", "k") for n in range(samples)]

    tasks = list(cut_shard_tasks(todo, actors=actors))

    assert [sample for task in tasks for sample in task.ids] == [sample for sample, _, _ in todo]
    assert max(len(task.ids) for task in tasks) == largest <= SHARD_SAMPLES


def test_tasks_hold_every_unit_once_and_grow_small_towards_the_end():
    tasks = [{"number": number} for number in range(237)]

    tasks = [task["number"].to_pylist() for task in cut_tasks(tasks, actors=2)]

    sizes = [len(task) for task in tasks]
    assert [number for task in tasks for number in task] == list(range(237))
    assert sizes[0] == SHARDS_PER_RAY_TASK
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-14:] == [1] * 14
    assert list(cut_tasks([], actors=2)) == []


def test_text_and_bytes_are_never_in_one_unit_and_come_back_as_they_were():
    todo = [("a", "a.jpg", "1"), ("b", b"\xff", "2"), ("c", b"", "3"), ("d", "d.jpg", "4")]

    tasks = [unpack_shard_task(pack_shard_task(task)) for task in cut_shard_tasks(todo, actors=1)]

    assert [task.references for task in tasks] == [["a.jpg"], [b"\xff"], [b""], ["d.jpg"]]
    assert [task.keys for task in tasks] == [["1"], ["2"], ["3"], ["4"]]
