"""A search on a tracking server: its trials, its best, and where passwords are."""

import json
import os
import socket
import stat
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mmray.search.study import read_trials
from tests.support.process import wait_for
from tests.support.web import serve
from tests.support.workflow import command, environment, kill_when

pytestmark = pytest.mark.e2e
SECRET = "pLanTed7"
SIGNATURE = f"?X-Amz-Signature={SECRET}"
DOCUMENT = """
name: planted
workspace: work
data: {{manifest: "{web}/m.jsonl{signature}", allow: ["{web}/"], split: {{column: split}}}}
modalities:
  image: {{column: photo, extract: {{kind: pixels, height: 8, width: 8}}, encode: {{kind: linear}}}}
tasks: {{shade: {{kind: classification, column: shade}}}}
model: {{width: 8}}
train: {{epochs: 1, batch_size: 8, workers: 1}}
evaluation: {{alone: false, resamples: 50}}
search:
  trials: 3
  objective: {{metric: val/loss}}
  confirm: null
  space: {{train.lr: {{loguniform: [0.005, 0.05]}}}}
tracking: {{uri: "http://me:{secret}@127.0.0.1:{port}", register: planted}}
"""


def answers_of(web):
    rows, answers = [], {}
    for number in range(30):
        name = f"{number}.png"
        picture = BytesIO()
        Image.fromarray(np.full((8, 8), 8 * number, dtype=np.uint8)).save(picture, "PNG")
        answers[f"/{name}{SIGNATURE}"] = picture.getvalue() if number else b"broken"
        rows.append({
            "photo": f"{web.uri}/{name}{SIGNATURE}", "shade": "light" if number % 2 else "dark",
            "split": ("train", "train", "train", "val", "val", "test", "test")[number % 7],
        })  # fmt: skip
    answers[f"/m.jsonl{SIGNATURE}"] = "\n".join(map(json.dumps, rows)).encode()
    return answers


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def is_up(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def tracking_server(folder):
    """Run MLflow's server on a store in a folder."""
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
         "--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
         "--artifacts-destination", str(folder / "artifacts")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(is_up, port, timeout_s=120)
        yield port
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def files_with_the_secret(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return {path for path in files if SECRET.encode() in path.read_bytes()}


def is_for_the_user_alone(path, workspace):
    """Say whether others are kept out by the file, or by a folder of the workspace above it."""
    above = [path, *(folder for folder in path.parents if workspace in folder.parents)]
    return any(not stat.S_IMODE(each.stat().st_mode) & 0o077 for each in above)


def trials_in(folder):
    """The trials of the one search of a workspace, if it has begun."""
    return [trial for each in folder.glob("search/*") for trial in read_trials(each)]


def begun(workspace):
    """When each trial began, by its number."""
    return {str(trial.number): trial.started for trial in trials_in(workspace)}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The folder of a finished search that was killed after its first trial, and its process."""
    folder = tmp_path_factory.mktemp("search")
    document = folder / "d.yaml"
    with tracking_server(folder / "server") as port, serve({}) as web:
        web.answers.update(answers_of(web))
        document.write_text(
            DOCUMENT.format(web=web.uri, signature=SIGNATURE, secret=SECRET, port=port)
        )
        kill_when(
            lambda: any(trial.state != "running" for trial in trials_in(folder / "work")),
            document, cwd=folder, workflow="search",
        )  # fmt: skip
        (folder / "killed.json").write_text(json.dumps(begun(folder / "work")))
        done = subprocess.run(
            command(document, workflow="search", options=("--json", "-v")),
            cwd=folder, env=environment(), capture_output=True, text=True, timeout=540,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, done


def test_a_search_that_was_killed_trains_and_evaluates_its_best_trial(searched):
    from mlflow import MlflowClient

    folder, done = searched
    report = json.loads(done.stdout)
    search = next(stage for stage in report["stages"] if stage["stage"] == "search")
    trials = trials_in(folder / "work")
    best = min(trials, key=lambda trial: trial.values)
    killed = json.loads((folder / "killed.json").read_text())
    assert killed.items() <= begun(folder / "work").items()
    assert search["counts"]["trials"] == len(trials) == 3
    assert search["metrics"]["best"] == best.sample
    bundle = json.loads((folder / "work" / "model" / "bundle.json").read_text())
    assert bundle["config"]["train"]["lr"] == best.sample.get("train.lr", 0.002)
    client = MlflowClient(f"sqlite:///{folder / 'server' / 'mlflow.db'}")
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    names = [run.data.tags["mlflow.runName"] for run in runs]
    assert sum(name.startswith("trial ") for name in names) == 3
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(list((folder / "work").glob("features/*/*/index.parquet"))) == 1


def test_a_search_leaves_the_password_only_where_it_is_needed_and_for_the_user_alone(searched):
    folder, done = searched
    workspace = folder / "work"
    assert "rejected" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert files_with_the_secret(folder / "server") == set()
    found = files_with_the_secret(workspace)
    assert {path.name for path in found} >= {"best.yaml"}
    assert [path for path in found if not is_for_the_user_alone(path, workspace)] == []
    assert files_with_the_secret(workspace / "model") == set()
