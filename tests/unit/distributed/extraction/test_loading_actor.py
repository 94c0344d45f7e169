"""A process that ends while it loads what extracts is started again, but not for ever."""

import pyarrow as pa
import pytest

from mmray.config.modality.text import TextConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.distributed.extraction.journal import MAX_STARTS, Journal
from mmray.distributed.extraction.loading_actor import LoadingActor
from mmray.distributed.extraction.shard_plan import ExtractionPlan


@pytest.fixture
def plan(tmp_path):
    return ExtractionPlan(
        name="text", config=TextConfig(column="note"), state=None, output=str(tmp_path),
        spec=FeatureSpec(Kind.TEXT, "vector", (1,), "float32"), corpus=str(tmp_path), allow=(),
        max_payload_bytes=100, max_decode_s=1.0,
    )  # fmt: skip


def start(plan, actor="a"):
    return LoadingActor({"text": plan}, "run", threads=1, decoders={"text": 0}, actor=actor)


def test_after_so_many_ends_it_says_so_for_each_unit(plan):
    journal = Journal(plan.output, "run")
    for _ in range(MAX_STARTS):
        journal.begin_loading("a")

    (row,) = start(plan)(pa.table({"name": ["text"]}))

    assert "ended 4 times while it loaded its libraries" in row["failure"][0].as_py()


def test_a_process_that_has_loaded_them_is_not_counted(plan):
    for _ in range(3 * MAX_STARTS):
        assert start(plan)._actor is not None
