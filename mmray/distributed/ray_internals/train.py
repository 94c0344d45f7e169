"""Ray Train's trainer, without the processes and libraries that mmray does not use."""

from collections.abc import Callable
from typing import Any

import ray.train
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

from mmray.distributed.ray_internals.hook import Hook, is_on

UNWANTED: dict[Hook, str] = {
    # What Ray Train does for Ray Data, from which no batch of mmray comes: that starts one process
    # more, and loads Ray Data in it and in every worker.
    Hook.TRAIN_DATASETS: "DatasetsCallback",
}
"""By hook, the name of the callback that Ray Train then goes without."""
UNWANTED_LOCALLY: dict[Hook, str] = {
    # It cleans up after trainings that died. It asks the dashboard of the cluster that was last
    # started by hand on this machine, not ours; if that cluster has ended, a training ends 12 s
    # late. Our own cluster ends with its command, so there is nothing to clean up.
    Hook.TRAIN_CLEANER: "PlacementGroupCleanerCallback",
}


def lean(base: type[DataParallelTrainer], *, is_local: bool) -> type[DataParallelTrainer]:
    """Return a trainer without what Ray Train does for Ray Data, and for clusters that others use.

    ``is_local``: on a cluster of this command alone, which can get no more nodes.
    """
    without = UNWANTED | UNWANTED_LOCALLY if is_local else UNWANTED

    class LeanTrainer(base):
        def _create_default_callbacks(self) -> list[Any]:
            unwanted = {name for hook, name in without.items() if is_on(hook)}
            callbacks = super()._create_default_callbacks()
            return [each for each in callbacks if type(each).__name__ not in unwanted]

        def _initialize_and_run_controller(self, **options: Any) -> ray.train.Result:  # noqa: ANN401 (as Ray's)
            if is_local and is_on(Hook.TRAIN_NODES):
                from mmray.distributed.ray_internals.given_workers import given_workers

                options["scaling_policy"] = given_workers(
                    options["scaling_policy"], self.scaling_config
                )
            return super()._initialize_and_run_controller(**options)

    return LeanTrainer


def build_trainer(
    function: Callable[..., None],
    *,
    given: dict[str, Any] | None,
    scaling: ray.train.ScalingConfig,
    run: ray.train.RunConfig,
    backend: ray.train.BackendConfig | None,
) -> DataParallelTrainer:
    """Return a trainer whose workers meet by ``backend``, on a cluster of this command alone.

    Without one they meet by Ray's own, which loads torch also where the workers are only watched.
    """
    options: dict[str, Any] = {
        "train_loop_config": given, "scaling_config": scaling, "run_config": run,
    }  # fmt: skip
    if backend is not None:
        return lean(DataParallelTrainer, is_local=True)(function, backend_config=backend, **options)
    from ray.train.torch import TorchTrainer

    return lean(TorchTrainer, is_local=False)(function, **options)
