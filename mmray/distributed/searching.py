"""Search on Ray Tune: a driver function per trial, which trains on Ray Train like any other run."""

import contextlib
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.integration.ray_train import TuneReportCallback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import SearchAlgorithm, Searcher
from ray.tune.search.basic_variant import BasicVariantGenerator
from ray.tune.search.optuna import OptunaSearch

from mmray.assembly.epoch_file import EPOCHS, epoch_lines
from mmray.assembly.run_plan import RunPlan
from mmray.config.search import (
    ChoiceSpace,
    IntSpace,
    LogUniformSpace,
    SearchConfig,
    SpaceConfig,
    UniformSpace,
)
from mmray.config.train import TrainConfig
from mmray.core.atomic import read_complete
from mmray.distributed.fitting import WorkerShare, fit_runs, plan_workers
from mmray.distributed.session import ClusterSize
from mmray.errors import TrainingError

logger = logging.getLogger(__name__)

DRIVER_CPUS = 0.1
"""Of a trial's driver, which only waits: a whole core would starve a small machine's workers."""

Sample = Mapping[str, Any]
PlanTrial = Callable[[Sample], RunPlan]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial as it ended."""

    number: int
    sample: dict[str, Any]
    epochs: int
    best: float | None
    """Best value of the objective; None when no epoch was reached."""
    error: str


class _Callback(tune.Callback):
    """Tells the listener, in the process that started the search."""

    def __init__(self, on_epoch: Callable[[int, Sample, dict[str, Any], int], None]) -> None:
        self._on_epoch = on_epoch

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **_: object
    ) -> None:
        """Pass one epoch on."""
        number = int(trial.trial_id.rsplit("_", 1)[-1]) + 1  # ids end in the order of creation
        metrics = {name: value for name, value in result.items() if "/" in name}
        self._on_epoch(number, trial.config, metrics, result["training_iteration"])


def plan_trials(
    search: SearchConfig, train: TrainConfig, size: ClusterSize
) -> tuple[int, WorkerShare]:
    """Return how many trials run at once, and the share of each one's workers.

    A trial's driver takes a little, so whole cores for the workers would never fit.
    """
    base = plan_workers(train, size)
    fitting = max(1, size.gpus // base.workers if base.use_gpu else size.cpus // base.workers)
    wanted = fitting if search.concurrent == "auto" else search.concurrent
    concurrent = min(wanted, search.trials, fitting)
    cpus = (size.cpus / concurrent - DRIVER_CPUS) / base.workers
    return concurrent, WorkerShare(base.workers, int(cpus * 100) / 100, base.use_gpu)


def search_trials(
    plan_trial: PlanTrial,
    *,
    search: SearchConfig,
    train: TrainConfig,
    size: ClusterSize,
    storage: Path,
    on_epoch: Callable[[int, Sample, dict[str, Any], int], None],
) -> list[TrialResult]:
    """Run all trials and return them, best first."""
    concurrent, share = plan_trials(search, train, size)
    logger.info("%d trials, %d at a time", search.trials, concurrent)
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(
                _drive, plan_trial=plan_trial, share=share, storage=str(storage.resolve())
            ),
            {"CPU": DRIVER_CPUS},
        ),
        param_space={key: to_domain(space) for key, space in search.space.items()},
        tune_config=_tune_config(search, epochs=train.epochs, concurrent=concurrent),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(storage.resolve()),
            verbose=0,
            callbacks=[_Callback(on_epoch)],
        ),
    )
    # Tune prints tables of its own; standard output is for the report alone.
    with contextlib.redirect_stdout(sys.stderr):
        grid = tuner.fit()
    return _ranked(grid, search)


def _tune_config(search: SearchConfig, *, epochs: int, concurrent: int) -> tune.TuneConfig:
    return tune.TuneConfig(
        metric=search.objective.metric,
        mode=search.objective.direction,
        num_samples=search.trials,
        max_concurrent_trials=concurrent,
        search_alg=_sampler(search),
        scheduler=ASHAScheduler(
            max_t=epochs + 1,  # one more than there are: a trial that is done ends by itself
            grace_period=min(search.grace_epochs, epochs),
            reduction_factor=search.reduction,
        ),
    )


def _ranked(grid: tune.ResultGrid, search: SearchConfig) -> list[TrialResult]:
    """Return all trials, best first; none that reported the objective is a TrainingError."""
    metric, mode = search.objective.metric, search.objective.direction
    results = [
        TrialResult(
            number=number,
            sample=dict(result.config or {}),
            epochs=int((result.metrics or {}).get("training_iteration", 0)),
            best=_best(result.metrics_dataframe, metric, mode),
            error=str(result.error or ""),
        )
        for number, result in enumerate((grid[i] for i in range(len(grid))), start=1)
    ]
    if all(result.best is None for result in results):
        errors = {result.error.strip().splitlines()[-1] for result in results if result.error}
        raise TrainingError(
            f"no trial reported {metric!r}",
            where="search.objective.metric",
            hint="; ".join(sorted(errors)) or "is it one of the metrics that training logs?",
        )
    sign = 1 if mode == "min" else -1
    return sorted(results, key=lambda r: (r.best is None, sign * (r.best or 0.0)))


def to_domain(space: SpaceConfig) -> Any:  # noqa: ANN401 (Tune's own domains)
    """Return Tune's distribution; of named sections, the name is what is sampled."""
    match space:
        case UniformSpace(uniform=(low, high)):
            return tune.uniform(low, high)
        case LogUniformSpace(loguniform=(low, high)):
            return tune.loguniform(low, high)
        case IntSpace(int=(low, high)):
            return tune.randint(low, high + 1)
        case ChoiceSpace(choice=options):
            return tune.choice(list(options))


def _drive(sample: Sample, *, plan_trial: PlanTrial, share: WorkerShare, storage: str) -> None:
    """Train one trial; what an earlier search has trained completely is only told again."""
    plan = plan_trial(sample)
    folder = Path(plan.folder)
    if read_complete(folder) is not None:
        for line in epoch_lines(folder / EPOCHS):
            tune.report(line["metrics"])
        return
    folder.mkdir(parents=True, exist_ok=True)
    fit_runs(
        [plan],
        config=plan.config.train,
        share=share,
        storage=Path(storage),
        callbacks=[TuneReportCallback()],
    )


def _sampler(search: SearchConfig) -> Searcher | SearchAlgorithm:
    if search.sampler == "optuna":
        return OptunaSearch(seed=search.seed)
    return BasicVariantGenerator(random_state=search.seed)


def _best(frame: Any, metric: str, mode: str) -> float | None:  # noqa: ANN401
    if frame is None or metric not in frame or not len(frame):
        return None
    return float(frame[metric].min() if mode == "min" else frame[metric].max())
