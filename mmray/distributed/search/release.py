"""Frees what a trial's workers hold when Tune has stopped a trial with several workers.

Tune asks the trial's process to end, which it does when its workers have trained to the end. When
it is killed, Ray ends what it has started; but what Ray Train has reserved for the workers stays
reserved for as long as the search lives, and the next trial would wait for ever.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial

from mmray.distributed.search.trial_actor import WORKERS
from mmray.distributed.training.reservation import Reservation

POLL_S, WAIT_S = 0.05, 10.0


@dataclass
class Releaser(tune.Callback):
    """Ends the processes of trials that have ended, and with them what is reserved for them.

    It runs in the process of the search.
    """

    folder_of: Callable[[int], Path]
    """The folder of a trial, by its number."""
    ending: list[Any] = field(default_factory=list[Any])
    """Actors of trials that Tune has just asked to end."""
    waiting: list[Reservation] = field(default_factory=list[Reservation])
    """The resources that are still reserved."""

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **_: object
    ) -> None:
        """Handle a trial that is complete, was stopped early, or has failed."""
        actor = trial.temporary_state.ray_actor
        if actor is not None:
            self.ending.append(actor)
        path = self.folder_of(trial.config["number"]) / WORKERS
        if path.is_file():
            self.waiting.append(Reservation(path))

    on_trial_error = on_trial_complete

    def on_step_end(self, iteration: int, trials: list[Trial], **_: object) -> None:
        """End stopped trials; end the reservations of those whose workers have ended."""
        while self.ending:
            # When asked to end, a trial's process first lets its workers train to the end.
            ray.kill(self.ending.pop())
        self.waiting = [each for each in self.waiting if not each.remove()]

    def on_experiment_end(self, trials: list[Trial], **_: object) -> None:
        """Wait, though not for long, until nothing is reserved any more."""
        deadline = time.monotonic() + WAIT_S
        while self.waiting and time.monotonic() < deadline:
            self.on_step_end(0, trials)
            time.sleep(POLL_S)
