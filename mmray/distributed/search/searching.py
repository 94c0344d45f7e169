"""Search on Ray Tune: processes that train one trial after the other, as the study says."""

import contextlib
import io
import logging
import shutil
from functools import partial
from pathlib import Path

from ray import tune
from ray.tune.error import TuneError

from mmray.config.training.search import SearchConfig
from mmray.config.training.train import TrainConfig
from mmray.distributed.node.session import ClusterSize, environment, quiet_ray
from mmray.distributed.search.adapter import LossWatch, Room, StudyScheduler, StudySearcher
from mmray.distributed.search.release import Releaser
from mmray.distributed.search.trial_actor import PlanTrial, TrialSetting, train_trial
from mmray.distributed.training.share import WorkerShare, plan_workers
from mmray.search.progress import OnChange, OnEpoch, SearchProgress, no_objective
from mmray.search.record import Sample, TrialRecord
from mmray.search.study import Direction, open_study

logger = logging.getLogger(__name__)

RAY, SHARED = "ray", "shared"
"""In the folder of a running search: what Ray writes, and the features that all trials map."""
DRIVER_CPUS = 0.1
"""Cores of a process that only waits for its trial's workers: a full core would starve those of a
small machine."""
TUNE_ENV = {
    # Ctrl-C is for this process: Tune would take it for the end of a search that is done.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Tables of its own for each trial, which nothing reads.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # The study is the record of the search; Tune's own is written once, at the end.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # Processes start side by side, not one after the other.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
}


def plan_trials(
    search: SearchConfig, train: TrainConfig, size: ClusterSize
) -> tuple[int, WorkerShare]:
    """Return how many trials run at once, and the share of each one's workers.

    The process that waits for several workers takes a little, so full cores for those would never
    fit.
    """
    if search.workers != "auto":
        train = train.model_copy(update={"workers": search.workers})
    elif train.parallel != "fsdp" or train.workers == "auto":
        train = train.model_copy(update={"workers": 1})
    base = plan_workers(train, size)
    fitting = _fitting(base, size)
    wanted = fitting if search.concurrent == "auto" else search.concurrent
    concurrent = min(wanted, search.trials or wanted, fitting)
    cpus = (size.cpus / concurrent - _driver_cpus(base)) / base.workers
    return concurrent, WorkerShare(base.workers, int(cpus * 100) / 100, base.use_gpu, base.least)


def search_trials(  # noqa: PLR0913 (the parts of a search)
    plan_trial: PlanTrial,
    *,
    search: SearchConfig,
    document: Sample,
    train: TrainConfig,
    size: ClusterSize,
    folder: Path,
    on_epoch: OnEpoch,
    on_change: OnChange,
) -> list[TrialRecord]:
    """Run all trials and return them by number; those of an earlier search are not repeated.

    ``document`` are the parameters of the document itself, which is the first trial.
    """
    concurrent, share = plan_trials(search, train, size)
    storage = _closed(folder / RAY)
    setting = TrialSetting(plan_trial, share, storage, folder.resolve() / SHARED)
    room = Room(partial(_room, search, share, concurrent))
    progress = SearchProgress(
        open_study(folder, [_direction(each.direction) for each in search.objective]),
        search,
        document,
        folder_of=lambda sample: Path(plan_trial(sample).folder),
        epochs_of=lambda sample: plan_trial(sample).config.train.epochs,
        on_epoch=on_epoch,
        on_change=on_change,
    )
    budget = f"{search.trials} trials" if search.trials else "as many trials as the time allows"
    logger.info("%s, %d at a time", budget, concurrent)
    _fit(_tuner(setting, progress, room, folder), progress)
    records = progress.study.records()
    for left in (RAY, SHARED):
        shutil.rmtree(folder / left, ignore_errors=True)
    return _checked(records, search)


def _tuner(setting: TrialSetting, progress: SearchProgress, room: Room, folder: Path) -> tune.Tuner:
    callbacks: list[tune.Callback] = [LossWatch(progress, folder)]
    if setting.trains_here:
        resources = {"CPU": setting.share.cpus, **({"GPU": 1} if setting.share.use_gpu else {})}
    else:
        resources = {"CPU": DRIVER_CPUS}
        callbacks.append(Releaser(lambda number: Path(progress.study.record(number).folder)))
    return tune.Tuner(
        tune.with_resources(tune.with_parameters(train_trial, setting=setting), resources),
        tune_config=tune.TuneConfig(
            num_samples=-1,
            search_alg=StudySearcher(progress, room),
            scheduler=StudyScheduler(progress, room),
            reuse_actors=setting.trains_here,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(setting.storage),
            verbose=0,
            callbacks=callbacks,
            failure_config=tune.FailureConfig(max_failures=1),  # a process that was lost
        ),
    )


def _fitting(share: WorkerShare, size: ClusterSize) -> int:
    least = share.workers if share.least is None else share.least
    return max(1, size.gpus // least if share.use_gpu else size.cpus // least)


def _room(search: SearchConfig, share: WorkerShare, planned: int, size: ClusterSize) -> int:
    """Return how many trials a cluster of this size has room for."""
    if search.concurrent != "auto":
        return planned
    least = share.workers if share.least is None else share.least
    if share.use_gpu:
        return size.gpus // least
    return int(size.cpus / (share.cpus * least + _driver_cpus(share)))


def _driver_cpus(share: WorkerShare) -> float:
    """Return the cores of the process that leads a trial: none where it trains itself."""
    return 0.0 if share.workers == 1 and share.least is None else DRIVER_CPUS


def _direction(direction: str) -> Direction:
    return "minimize" if direction == "min" else "maximize"


def _closed(folder: Path) -> Path:
    """Make an empty folder for the user alone: Tune writes the settings of trials, secrets too."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    return folder.resolve()


def _fit(tuner: tune.Tuner, progress: SearchProgress) -> None:
    # Tune prints tables and advice of its own, however quiet it is asked to be.
    with environment(TUNE_ENV), contextlib.redirect_stdout(io.StringIO()), quiet_ray():
        try:
            tuner.fit()
        except KeyboardInterrupt as stop:
            trials = progress.search.trials
            stop.add_note(f"after {progress.num_ended}{f' of {trials}' if trials else ''} trials")
            raise
        except TuneError as error:
            raise _own_error(error) from error


def _own_error(error: TuneError) -> BaseException:
    """Return what was raised in this process; Tune keeps the text and drops the kind."""
    found: BaseException = error
    while isinstance(found, TuneError) and (found.__cause__ or found.__context__):
        found = found.__cause__ or found.__context__ or found
    return found


def _checked(records: list[TrialRecord], search: SearchConfig) -> list[TrialRecord]:
    """Return the trials; if none has a value of the objective, that is a TrainingError."""
    if any(record.values for record in records):
        return records
    reasons = "; ".join(sorted({record.reason for record in records if record.reason}))
    raise no_objective(search.objective[0].metric, hint=reasons)
