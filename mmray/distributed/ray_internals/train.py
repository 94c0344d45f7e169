"""Ray Train's trainer, without the processes that serve what mmray does not use."""

from collections.abc import Mapping
from typing import Any, ClassVar

import ray.train
import ray.train.torch

from mmray.distributed.ray_internals.hook import Hook, is_on


class LeanTrainer(ray.train.torch.TorchTrainer):
    """Trains without what Ray Train does for Ray Data, from which no batch of mmray comes.

    That starts one process more, and loads Ray Data in it and in every worker.
    """

    unwanted: ClassVar[Mapping[Hook, str]] = {Hook.TRAIN_DATASETS: "DatasetsCallback"}
    """By hook, the name of the callback that Ray Train then goes without."""

    def _create_default_callbacks(self) -> list[Any]:
        unwanted = {name for hook, name in self.unwanted.items() if is_on(hook)}
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if type(each).__name__ not in unwanted]

    def _register_sigint_handler(self, controller: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Leave Ctrl-C to this process: Ray Train's own handler ends it without a message."""
        if not is_on(Hook.TRAIN_INTERRUPT):
            super()._register_sigint_handler(controller)


class LocalTrainer(LeanTrainer):
    """Trains on a cluster of this process, without two actors that serve shared clusters.

    One cleans up after trainings that died. It asks the dashboard of the cluster that was last
    started by hand on this machine, not ours; if that cluster has ended, a training ends 12 s late.
    Our own cluster ends with this process, so there is nothing to clean up. The other actor
    requests nodes, and there can be no more.
    """

    unwanted: ClassVar[Mapping[Hook, str]] = {
        **LeanTrainer.unwanted,
        Hook.TRAIN_CLEANER: "PlacementGroupCleanerCallback",
    }

    def _initialize_and_run_controller(self, **options: Any) -> ray.train.Result:  # noqa: ANN401 (as Ray's)
        if is_on(Hook.TRAIN_NODES):
            from mmray.distributed.ray_internals.given_workers import given_workers

            options["scaling_policy"] = given_workers(
                options["scaling_policy"], self.scaling_config
            )
        return super()._initialize_and_run_controller(**options)
