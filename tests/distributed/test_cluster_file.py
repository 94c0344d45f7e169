"""The cluster files against the schemas of those who read them."""

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.ray
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["cluster.yaml", "deploy/on-premise.yaml"])
def test_a_cluster_file_is_valid_for_ray_and_keeps_the_dashboard_private(name):
    from ray.autoscaler._private.util import prepare_config, validate_config

    document = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))

    validate_config(prepare_config(document))

    assert any("--dashboard-host=127.0.0.1" in c for c in document["head_start_ray_commands"])


def test_the_kubernetes_job_runs_the_pinned_ray_with_authentication():
    import ray

    document = yaml.safe_load((ROOT / "deploy" / "rayjob.yaml").read_text(encoding="utf-8"))

    spec = document["spec"]
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayJob")
    assert spec["rayClusterSpec"]["rayVersion"] == ray.__version__
    assert spec["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert spec["entrypoint"].startswith("python -m workflows.fusion ")
