"""A search with another budget is the same search, which continues."""

import pytest

from mmray.config.document import Config
from mmray.config.training.search import SearchConfig
from mmray.stages.search import search_of
from mmray.stages.workspace import Workspace
from tests.support.extraction import Corpus, notes

TEXT = {"column": "note", "extract": {"kind": "bow", "vocabulary": 20, "hashing": True}}
LR = {"train.lr": {"choice": [0.1, 0.2]}}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    corpus = Corpus(tmp_path_factory.mktemp("corpus"), notes(20), text=TEXT)
    corpus.extract()
    return corpus


def workspace_of(corpus, search):
    document = corpus.config.model_dump(mode="json", by_alias=True) | {"search": search}
    return Workspace(Config.model_validate(document))


@pytest.mark.parametrize(
    "budget",
    [
        {"trials": 3}, {"minutes": 5}, {"confirm": None}, {"ensemble": 3}, {"concurrent": 1},
        {"warm_start": False},
    ],
)  # fmt: skip
def test_another_budget_keeps_folder_and_run(corpus, budget):
    one, other = (workspace_of(corpus, {"space": LR} | more) for more in ({}, budget))

    assert search_of(one)[1] == search_of(other)[1]
    assert one.key == other.key


@pytest.mark.parametrize(
    "setting", [{"seed": 1}, {"sampler": "gp"}, {"stop": {"kind": "none"}}, {"folds": 2}]
)
def test_another_way_of_searching_is_another_search(corpus, setting):
    one, other = (workspace_of(corpus, {"space": LR} | more) for more in ({}, setting))

    assert search_of(one)[1] != search_of(other)[1]
    assert one.key != other.key


def test_a_budget_alone_belongs_to_the_run_of_the_document_without_a_search(corpus):
    assert workspace_of(corpus, {"trials": 40}).key == Workspace(corpus.config).key


@pytest.mark.parametrize(
    ("settings", "is_other"),
    [({"trials": 3}, True), ({"confirm": None}, True), ({"concurrent": 1}, False)],
)
def test_what_is_asked_for_says_whether_a_search_is_complete(settings, is_other):
    assert (SearchConfig(**settings).asked() != SearchConfig().asked()) is is_other
