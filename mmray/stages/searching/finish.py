"""What a search does after its trials: its winner, the files about it, and its trainings."""

from functools import partial

from mmray.config.reading.load import load_config
from mmray.run.bundle.served import interface_of
from mmray.search.features import searched_modalities
from mmray.stages.evaluate import can_measure, custom_code_of
from mmray.stages.searching.adoption import adopt
from mmray.stages.searching.best import BEST, track_files, write_outcome
from mmray.stages.searching.confirmation import SearchedTrials, conclude, models_of
from mmray.stages.searching.ensembling import write_ensemble
from mmray.stages.searching.outcome import Outcome
from mmray.stages.searching.retraining import train_again
from mmray.stages.searching.variants import extract_document
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

ENSEMBLE = "ensemble"
"""Folder of a search: a bundle of several trials."""


def finish_search(
    searched: SearchedTrials, workspace: Workspace, tracker: Tracker
) -> tuple[Outcome, list[str]]:
    """Name the winner; return what was found, and the files that say so in the search's folder.

    The trainings of the winner and of the document are those that ``train`` and ``evaluate`` would
    make of them, and are kept as such.
    """
    config, folder = searched.config, searched.folder
    train = partial(train_again, objective=searched.objective, workspace=workspace, tracker=tracker)
    measured = can_measure(config, workspace.prepared.manifest)
    outcome = conclude(searched, train, can_measure=measured)
    winner = outcome.winner.candidate
    names = write_outcome(folder, config, winner.jobs[0].config, outcome)
    track_files(tracker, folder, names)
    if outcome.ensemble is not None and len(outcome.ensemble.members) > 1:
        write_ensemble(folder / ENSEMBLE, outcome.ensemble)
        parent, best = tracker.parent(), outcome.ensemble.members[0].job.config
        parent.log_bundle(
            folder / ENSEMBLE, interface_of(best), code=custom_code_of(best), register_as=None
        )
    for each in outcome.confirmed:
        if each.candidate.is_document:
            adopt(models_of(each.candidate, folder), workspace)
    best = workspace.of(load_config(folder / BEST))
    if searched_modalities(searched.search.space):
        extract_document(best)
    adopt(models_of(winner, folder), best)
    return outcome, names
