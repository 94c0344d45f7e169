"""Ray Train's trainer, without the processes that serve what mmray does not use."""

from collections.abc import Sequence
from typing import Any

import ray.train
import ray.train.torch
from ray.train.v2._internal.callbacks.datasets import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2._internal.execution.callback import RayTrainCallback
from ray.train.v2._internal.execution.scaling_policy import FixedScalingPolicy, ScalingPolicy


class LeanTrainer(ray.train.torch.TorchTrainer):
    """Trains without what Ray Train does for Ray Data, which no batch of ours comes from.

    That starts a process more, and loads Ray Data in it and in every worker: seconds each time.
    """

    own_callbacks: Sequence[RayTrainCallback] = ()
    """For what Ray Train lets only its own callbacks hear."""

    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        callbacks = super()._create_default_callbacks()
        kept = [each for each in callbacks if not isinstance(each, DatasetsCallback)]
        return [*kept, *self.own_callbacks]

    def _register_sigint_handler(self, controller: object) -> None:
        """Leave Ctrl-C to this process: Ray Train's own handler ends it without a word."""


class LocalTrainer(LeanTrainer):
    """Trains on a cluster of this process, without two actors that serve clusters of others.

    One cleans up after dead trainings. It asks the dashboard of the cluster that was last started
    by hand on this machine, not ours; where that one has ended, its answer is waited for, and a
    training ends 12 s late. A cluster of our own ends with this process, so there is nothing to
    clean up. The other is asked for nodes, and there can be no more.
    """

    def _create_default_callbacks(self) -> list[RayTrainCallback]:
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if not isinstance(each, PlacementGroupCleanerCallback)]

    def _initialize_and_run_controller(
        self,
        *,
        scaling_policy: ScalingPolicy,
        **options: Any,  # noqa: ANN401 (as Ray's)
    ) -> ray.train.Result:
        if isinstance(scaling_policy, FixedScalingPolicy):
            scaling_policy = _GivenWorkers(self.scaling_config)
        return super()._initialize_and_run_controller(scaling_policy=scaling_policy, **options)


class _GivenWorkers(FixedScalingPolicy):
    """As many workers as are wanted, on the nodes that there are."""

    def after_controller_start(self, train_run_context: object) -> None:
        """Ask nobody for nodes."""

    def _maybe_send_resource_request(self) -> None:
        """Do not ask again."""
