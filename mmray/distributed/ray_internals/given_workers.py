"""Ray Train's scaling policy for a cluster that cannot grow."""

import ray.train
from ray.train.v2._internal.execution.scaling_policy import FixedScalingPolicy, ScalingPolicy


class GivenWorkers(FixedScalingPolicy):
    """As many workers as are wanted, on the nodes that there are."""

    def after_controller_start(self, train_run_context: object) -> None:
        """Request no nodes."""

    def _maybe_send_resource_request(self) -> None:
        """Do not ask again."""


def given_workers(policy: ScalingPolicy, config: ray.train.ScalingConfig) -> ScalingPolicy:
    """Return the policy that requests no nodes in place of a fixed one."""
    return GivenWorkers(config) if isinstance(policy, FixedScalingPolicy) else policy
