"""A search as ``--show`` prints it: from its folder alone, at any moment."""

import json
from dataclasses import replace

import pytest

from mmray.core.file.atomic import mark_success
from mmray.core.process.lock import WORKSPACE_LOCK, locked
from mmray.core.report import Report
from mmray.inspection.search import describe_search_folder
from mmray.search.study import open_study
from mmray.search.view.heading import write_heading
from tests.support.trials import SPACE, trial, view

TRIALS = [
    trial(1, 0.5), trial(2, 0.6, train__lr=0.01), trial(3, 0.4, state="running", train__lr=0.1),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """The folder of a search that is not complete."""
    folder = tmp_path / "search" / "abc"
    write_heading(folder, view().heading)
    study = open_study(folder, ["maximize"])
    for each in TRIALS:
        spaces = {name: SPACE[name] for name in each.sample}
        study.add(replace(each, state="running"), dict(each.sample), spaces)
        if each.state != "running":
            study.tell(each)
    return folder


def test_a_search_that_was_stopped_is_shown_with_what_resumes_it(folder):
    report = describe_search_folder(folder, dict)

    assert report.found[0] == "best: trial 2, digit accuracy (val) 0.6000, with lr=0.01"
    assert "importances need 10 trials with a result, and there are 1" in report.found
    assert report.found[-2:] == (
        "trials: 3 of 24; 2 complete, 1 running",
        "state: stopped before its end; the same command resumes it",
    )
    assert report.next_step == "mmray search CONFIG"
    assert [row["trial"] for row in report.counts["trials"]] == [2, 1, 3]
    assert report.counts["trials"][0]["overrides"] == {"train.lr": 0.01}
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_search_is_shown_while_another_process_holds_the_workspace(folder):
    with locked(folder.parents[1] / WORKSPACE_LOCK, on_wait=print):
        report = describe_search_folder(folder, dict)

    assert report.counts["state"] == "running"
    assert report.found[-1].startswith("state: running; at work in this workspace is process ")
    assert report.next_step == ""


def test_a_complete_search_is_shown_with_its_conclusions_first(folder):
    (folder / "search.html").write_text("<html>")
    done = Report("search", "abc", str(folder), 1.0, found=("winner: trial 2",))
    mark_success(folder, {"fingerprint": "abc", "report": done.to_dict(), "config": {}})

    report = describe_search_folder(folder, dict)

    assert report.found[0] == "winner: trial 2"
    assert report.found[-2:] == ("state: complete", f"page: {folder}/search.html")


def test_a_search_of_other_settings_says_so(folder):
    report = describe_search_folder(folder, None)

    assert report.found[0] == (
        "the search of other settings that changed last; this document's has not begun"
    )


def test_where_nothing_was_searched_the_command_is_named(tmp_path):
    report = describe_search_folder(tmp_path / "search" / "abc", dict)

    assert report.found == ("nothing has been searched yet for this document and corpus",)
    assert report.next_step == "mmray search CONFIG"
