import pytest

from mmray.tracking.open import LazyTracker, tracking, tracking_uri
from tests.support.document import make_config
from tests.support.process import run_python


@pytest.mark.parametrize(
    ("tracking_section", "environment", "uri"),
    [
        ({}, None, "sqlite:///work/mlflow.db"),
        ({}, "http://server:5000", "http://server:5000"),
        ({"uri": "http://mine:5000"}, "http://server:5000", "http://mine:5000"),
    ],
)
def test_the_store_is_the_documents_then_the_environments_then_one_in_the_workspace(
    monkeypatch, tracking_section, environment, uri
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if environment:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", environment)

    config = make_config(workspace="work", tracking=tracking_section)

    assert tracking_uri(config) == LazyTracker(config).uri == uri


def test_a_tracker_that_is_not_used_opens_nothing_and_loads_no_mlflow(tmp_path):
    program = (
        "import sys\n"
        "from mmray.tracking.open import tracking\n"
        "from tests.support.document import make_config\n"
        f"with tracking(make_config(workspace={str(tmp_path / 'work')!r})) as tracker:\n"
        "    tracker.identify('k')\n"
        "print('mlflow' in sys.modules, tracker.uri)"
    )

    done = run_python("-c", program)

    assert done.stdout == f"False sqlite:///{tmp_path}/work/mlflow.db\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_keeps_everything_in_memory_and_the_first_key_counts(tmp_path):
    config = make_config(workspace=str(tmp_path / "work"), tracking={"uri": "memory://"})

    with tracking(config) as tracker:
        tracker.identify("one")
        tracker.identify("two")
        tracker.child("fusion").log_metrics({"loss": 0.5}, step=2)
        run, memory = tracker.child("fusion"), tracker._opened()

    assert run.metrics == {"loss": [(2, 0.5)]}
    assert (run.status, memory.key) == ("FINISHED", "one")
    assert list(tmp_path.iterdir()) == []


def test_what_may_be_logged_later_waits_for_the_first_use_of_the_store_or_its_end(tmp_path):
    config = make_config(workspace=str(tmp_path / "work"), tracking={"uri": "memory://"})
    done = []

    with tracking(config, defers=True) as tracker:
        tracker.later(lambda: done.append(tracker.parent().run_id))
        assert done == []
        parent = tracker.parent().run_id
        assert done == [parent]
        tracker.later(lambda: done.append("now"))
        assert done == [parent, "now"]
    with tracking(config, defers=True) as tracker:
        tracker.later(lambda: done.append("at the end"))
    with tracking(config) as tracker:
        tracker.later(lambda: done.append("at once"))
        assert done[2:] == ["at the end", "at once"]
