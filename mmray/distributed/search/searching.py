"""Search on Ray Tune: a driver function per trial, which trains on Ray Train like any other run."""

import contextlib
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.error import TuneError
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from mmray.config.training.search import AshaStopConfig, HyperbandStopConfig, SearchConfig
from mmray.config.training.train import TrainConfig
from mmray.core.file.atomic import read_complete
from mmray.distributed.node.session import ClusterSize, environment, quiet_ray
from mmray.distributed.search.release import WORKERS, Releaser
from mmray.distributed.search.sampling import Sample, build_sampler, to_domain
from mmray.distributed.search.trial import OnEpoch, TrialLog, TrialResult, only_one, read_state
from mmray.distributed.training.epoch_listener import HEARD
from mmray.distributed.training.fitting import WorkerShare, fit_runs, plan_workers
from mmray.errors import TrainingError
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.run.training_job import TrainingJob

__all__ = ["TrialResult", "plan_trials", "search_trials"]

logger = logging.getLogger(__name__)

DRIVER_CPUS = 0.1
"""Cores of a trial's driver, which only waits: a full core would starve a small machine's
workers."""
TUNE_ENV = {
    # Ctrl-C is for this process: Tune would take it for the end of a search that is done.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Tables of its own for each trial, which nothing reads.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}

PlanTrial = Callable[[Sample], TrainingJob]


def plan_trials(
    search: SearchConfig, train: TrainConfig, size: ClusterSize
) -> tuple[int, WorkerShare]:
    """Return how many trials run at once, and the share of each one's workers.

    A trial's driver takes a little, so full cores for the workers would never fit.
    """
    base = plan_workers(train, size)
    fitting = max(1, size.gpus // base.workers if base.use_gpu else size.cpus // base.workers)
    wanted = fitting if search.concurrent == "auto" else search.concurrent
    concurrent = min(wanted, search.trials or fitting, fitting)
    cpus = (size.cpus / concurrent - DRIVER_CPUS) / base.workers
    return concurrent, WorkerShare(base.workers, int(cpus * 100) / 100, base.use_gpu)


def search_trials(
    plan_trial: PlanTrial,
    *,
    search: SearchConfig,
    train: TrainConfig,
    size: ClusterSize,
    folder: Path,
    on_epoch: OnEpoch,
) -> list[TrialResult]:
    """Run all trials and return them, best first; those of an earlier search are not repeated."""
    folder.mkdir(parents=True, exist_ok=True)
    concurrent, share = plan_trials(search, train, size)
    logger.info("%d trials, %d at a time", search.trials, concurrent)
    storage = str(_closed(folder / "ray"))
    log = TrialLog(
        search.objective[0], folder, lambda sample: Path(plan_trial(sample).folder), on_epoch
    )
    tuner = tune.Tuner(
        tune.with_resources(
            tune.with_parameters(_drive, plan_trial=plan_trial, share=share, storage=storage),
            {"CPU": DRIVER_CPUS},
        ),
        param_space={key: to_domain(space) for key, space in search.space.items()},
        tune_config=_tune_config(search, train.epochs, concurrent, log.tried()),
        run_config=tune.RunConfig(
            name="tune", storage_path=storage, verbose=0, callbacks=[log, Releaser(log)]
        ),
    )
    _fit(tuner, log, search)
    return _checked(log.ranked(), search)


def _closed(folder: Path) -> Path:
    """Make a folder for the user alone: Tune writes the settings of trials, secrets too."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    return folder.resolve()


def _tune_config(
    search: SearchConfig, epochs: int, concurrent: int, tried: list[Sample]
) -> tune.TuneConfig:
    return tune.TuneConfig(
        metric=search.objective[0].metric,
        mode=search.objective[0].direction,
        num_samples=search.trials or -1,
        search_alg=build_sampler(search, concurrent, tried),
        scheduler=_scheduler(search, epochs),
    )


def _scheduler(search: SearchConfig, epochs: int) -> TrialScheduler:
    if not isinstance(search.stop, AshaStopConfig | HyperbandStopConfig):
        return FIFOScheduler()
    return ASHAScheduler(
        time_attr="epoch",
        max_t=epochs + 1,  # one more than there are: a trial that is done ends by itself
        grace_period=min(search.stop.grace_epochs, epochs),
        reduction_factor=search.stop.reduction,
    )


def _fit(tuner: tune.Tuner, log: TrialLog, search: SearchConfig) -> None:
    # Tune prints tables and advice of its own, however quiet it is asked to be.
    with environment(TUNE_ENV), contextlib.redirect_stdout(io.StringIO()), quiet_ray():
        try:
            tuner.fit()
        except KeyboardInterrupt as stop:
            stop.add_note(f"after {log.num_ended} of {search.trials} trials")
            raise
        except TuneError as error:
            raise _own_error(error, search) from error


def _own_error(error: TuneError, search: SearchConfig) -> BaseException:
    """Return what was raised in this process; Tune keeps the text and drops the kind."""
    found: BaseException = error
    while isinstance(found, TuneError) and (found.__cause__ or found.__context__):
        found = found.__cause__ or found.__context__ or found
    return _missing(search) if "specified metric" in str(found) else found


def _checked(results: list[TrialResult], search: SearchConfig) -> list[TrialResult]:
    """Return the results; if none reported the objective, that is a TrainingError."""
    if any(result.best is not None for result in results):
        return results
    raise _missing(search, hint="; ".join(sorted({r.error for r in results if r.error})))


def _missing(search: SearchConfig, *, hint: str = "") -> TrainingError:
    return TrainingError(
        f"no trial reported {search.objective[0].metric!r}",
        where="search.objective.metric",
        hint=hint or "is it one of the metrics that training logs, for example 'val/loss'?",
    )


def _drive(sample: Sample, *, plan_trial: PlanTrial, share: WorkerShare, storage: str) -> None:
    """Train one trial; the epochs that an earlier search has trained are only reported again."""
    plan = plan_trial(sample)
    folder = Path(plan.folder)
    with only_one(folder):
        state = read_state(folder)
        if state.has_ended or read_complete(folder) is not None:
            for line in epoch_lines(folder / EPOCHS)[: state.epochs or None]:
                _report("", line)
            return
        # Each search hears all epochs: from them Tune decides which trial to stop.
        (folder / HEARD).unlink(missing_ok=True)
        fit_runs(
            [plan],
            config=plan.config.train,
            share=share,
            storage=Path(storage),
            on_epoch=_report,
            note=folder / WORKERS,
        )


def _report(_: str, line: dict[str, Any]) -> None:
    tune.report({**line["metrics"], "epoch": line["epoch"]})
