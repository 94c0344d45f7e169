"""The training of one trial, in a process that Tune keeps for the next one.

A trial with one worker is trained here, by the function that every worker of a training executes.
One with several is trained by a group of workers, which this process waits for.
"""

import fcntl
import gc
import json
import os
import resource
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ray import tune

from mmray.core.file.atomic import read_complete
from mmray.distributed.training.epoch_listener import HEARD
from mmray.distributed.training.fitting import fit_runs
from mmray.distributed.training.share import WorkerShare
from mmray.errors import MMRayError
from mmray.run.epoch_file import EPOCHS, append_epoch, epoch_lines
from mmray.run.training_job import TrainingJob
from mmray.search.record import Sample

LOCK = "trial.lock"
"""In a trial's folder: locked by the process that trains it, and its process id."""
WORKERS = "workers.txt"
"""In a trial's folder: the placement group of its workers, where it has several."""
MAX_CHARS = 300
THREAD_S = "60"
"""How long Tune waits until a stopped trial has written its last checkpoint."""

PlanTrial = Callable[[Sample], TrainingJob]


@dataclass(frozen=True, slots=True)
class TrialSetting:
    """What all trials of a search have in common."""

    plan_trial: PlanTrial
    share: WorkerShare
    storage: Path
    """Folder of Ray Train, for trials with several workers."""
    shared: Path
    """Folder of the features that the trials map into memory."""

    @property
    def trains_here(self) -> bool:
        """Whether a trial needs no other worker."""
        return self.share.workers == 1 and self.share.least is None


@dataclass
class Reporter:
    """Reports epochs to Tune, each once; it returns when Tune wants the trial to continue."""

    reported: int
    """Number of epochs that the search knows already."""
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    """Of the model."""

    def line(self, line: Mapping[str, Any]) -> None:
        """Report a line of ``run.epoch_file``."""
        if line["epoch"] > self.reported:
            self.reported = line["epoch"]
            # As text: Tune would make one level of it.
            text = json.dumps({**line, **self.figures})
            tune.report({"line": text, "memory": _peak_bytes()})


def train_trial(config: Mapping[str, Any], *, setting: TrialSetting) -> None:
    """Train one trial from where it is, and report its epochs and how it ended.

    What it raises is reported too, and not raised: the process serves the next trial as well.
    """
    os.environ["TUNE_FUNCTION_THREAD_TIMEOUT_S"] = THREAD_S
    try:
        job = setting.plan_trial(config["sample"])
        with _only_one(Path(job.folder)):
            _train(job, setting, Reporter(config["epochs"]))
        outcome = ""
    except Exception as error:
        outcome = _reason(error)
    gc.collect()  # a model, if nothing refers to it any more
    tune.report({"failed": outcome})


def _train(job: TrainingJob, setting: TrialSetting, reporter: Reporter) -> None:
    folder = Path(job.folder)
    is_complete = read_complete(folder) is not None
    if job.starts_anew and not is_complete:
        (folder / EPOCHS).unlink(missing_ok=True)  # of a training that cannot be resumed
    for line in epoch_lines(folder / EPOCHS):
        reporter.line(line)
    if is_complete:
        return
    if setting.trains_here:
        _train_here(job, setting, reporter)
    else:
        (folder / HEARD).unlink(missing_ok=True)
        fit_runs(
            [job],
            config=job.config.train,
            share=setting.share,
            storage=setting.storage,
            on_epoch=lambda _, line: reporter.line(line),
            note=folder / WORKERS,
        )


def _train_here(job: TrainingJob, setting: TrialSetting, reporter: Reporter) -> None:
    # Here and not above: the process of the search, which passes this on, needs no torch.
    import torch

    from mmray.run.cross_validation import train_job
    from mmray.run.latency import measure_latency
    from mmray.training.parallel.worker_context import WorkerContext

    torch.set_num_threads(setting.share.threads)
    device = torch.device("cuda", 0) if setting.share.use_gpu else torch.device("cpu")

    def measure(model: Any, samples: Any) -> None:  # noqa: ANN401 (torch is not there yet)
        reporter.figures = {
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "latency_ms": round(measure_latency(model, samples, device), 3),
        }

    def on_epoch(record: Any) -> None:  # noqa: ANN401
        reporter.line(append_epoch(Path(job.folder) / EPOCHS, job.name, record))

    train_job(
        job,
        context=WorkerContext(device=device),
        wrap=lambda model: model,
        on_epoch=on_epoch,
        load=_shared_data(setting.shared).load,
        on_start=measure,
    )


@cache
def _shared_data(folder: Path) -> Any:  # noqa: ANN401 (its module needs torch)
    """Return what this process keeps of the samples from one trial to the next."""
    from mmray.run.training_data import SharedData

    return SharedData(folder)


@contextmanager
def _only_one(folder: Path) -> Generator[None]:
    """Wait until no other process is at work in the folder of a trial."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _reason(error: Exception) -> str:
    """Return an error as one line; an error of ours says what to do."""
    if isinstance(error, MMRayError):
        return "; ".join(str(part) for part in (error.args[0], error.hint) if part)[:MAX_CHARS]
    text = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {text.strip()}"[:MAX_CHARS]


def _peak_bytes() -> int:
    """Return the most memory that this process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
