"""The resource plan, for machines that are not here."""

import pytest

from mmray.config.document import ModalityResources
from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.distributed.extraction.planning import describe_pools, plan_pool
from mmray.distributed.node.session import ClusterSize
from mmray.errors import ClusterError

pytestmark = pytest.mark.ray  # loads Ray, but starts none
AUDIO = AudioConfig(column="c")
TEXT = TextConfig(column="c")
RESNET = {"kind": "hf_image", "model": "microsoft/resnet-18", "batch_size": 16}
NETWORK = ImageConfig.model_validate({"column": "c", "extract": RESNET})


def plan(config, size, *, can_grow=False, **asked):
    return plan_pool("m", config, size, ModalityResources(**asked), can_grow=can_grow)


@pytest.mark.parametrize(
    ("config", "size", "expected"),
    [
        (AUDIO, ClusterSize(2, 0, 16.0), (2, 1.0, 0, 1)),
        (TEXT, ClusterSize(2, 0, 16.0), (2, 1.0, 0, 0)),
        (AUDIO, ClusterSize(8, 0, 1.5), (2, 4.0, 0, 3)),  # the memory is for two only
        (NETWORK, ClusterSize(16, 2, 64.0, cpus_per_gpu=8.0), (4, 4.0, 0.5, 3)),
        (AUDIO, ClusterSize(1, 0, 4.0), (1, 1.0, 0, 1)),
    ],
)
def test_a_plan_fills_the_machine_and_never_asks_for_more(config, size, expected):
    pool = plan(config, size)

    assert (pool.actors, pool.cpus, pool.gpus, pool.decoders) == expected
    assert pool.actors * pool.cpus <= size.cpus
    assert pool.actors * pool.gpus <= size.gpus
    assert pool.threads == int(pool.cpus)


def test_the_document_overrules_the_plan_and_a_cluster_may_grow():
    size = ClusterSize(16, 0, 64.0)

    asked = plan(AUDIO, size, actors=3, cpus=2.0, decoders=2, memory_gib=1.5)
    grown = plan(AUDIO, size, can_grow=True)

    assert (asked.actors, asked.most_actors, asked.cpus, asked.decoders) == (3, 3, 2.0, 2)
    assert asked.memory_gib == 1.5
    assert (grown.actors, grown.most_actors) == (16, None)


def test_decoding_takes_turns_with_what_it_shares_a_core_with_but_keeps_a_gpu_busy():
    assert plan(AUDIO, ClusterSize(2, 0)).takes_turns
    assert not plan(AUDIO, ClusterSize(4, 0), cpus=2.0).takes_turns
    assert not plan(AUDIO, ClusterSize(2, 1, cpus_per_gpu=2.0), gpus=1.0, cpus=1.0).takes_turns


def test_what_would_wait_for_ever_is_an_error_before_it_starts():
    with pytest.raises(ClusterError, match=r"wants 4 CPUs and 0 GPUs; there are 2 and 0"):
        plan(AUDIO, ClusterSize(2, 0), cpus=4)


def test_the_plan_is_said_with_heap_per_process():
    size = ClusterSize(2, 0, 16.0, object_store_gib=4.7)

    first, line = describe_pools({"m": plan(AUDIO, size)}, {"m": AUDIO}, size)

    assert first.startswith("plan for 2 CPUs, 0 GPUs, 16.0 GiB of heap, 4.7 GiB of object store ")
    assert line == (
        "  m: 2 actor(s), each 1 CPU, 0 GPU, 1 thread(s), 1 decoding in turn with it, "
        "about 0.6 GiB of heap"
    )
