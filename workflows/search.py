"""Prepare, extract, search; then evaluate the winner, whose trainings are those of the search.

python workflows/search.py workflows/configs/search.yaml
python workflows/search.py workflows/configs/search.yaml --set search.trials=24
"""

from mmray.cli.workflow import run_workflow
from mmray.core.report import Report
from mmray.stages import evaluate, extract, prepare, search, train
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker


def train_best(workspace: Workspace, tracker: Tracker) -> Report:
    """Train the winner's document, unless the search has."""
    return train.run(search.best_of(workspace), tracker)


def evaluate_best(workspace: Workspace, tracker: Tracker) -> Report:
    """Evaluate what ``train_best`` has trained."""
    return evaluate.run(search.best_of(workspace), tracker)


STAGES = (prepare.run, extract.run, search.run, train_best, evaluate_best)

if __name__ == "__main__":
    run_workflow(STAGES)
