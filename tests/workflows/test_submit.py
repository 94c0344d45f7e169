"""Jobs on a cluster that was started by hand."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workflow import CONFIGS, ROOT, environment, run_workflow, small_corpus

pytestmark = pytest.mark.e2e
SETTINGS = ("train.epochs=3", "evaluation.seeds=1", "evaluation.alone=false", "train.workers=1")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A head node in the foreground, so that it can be ended by its own process id."""
    ray = shutil.which("ray", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    port, dashboard = free_port(), free_port()
    # As in an activated environment: the job's 'python' is the one that has the packages.
    here = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    here["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    log = (tmp_path_factory.mktemp("head") / "log").open("w")
    process = subprocess.Popen(
        [ray, "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
         "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
         # The agent that takes jobs must not want the port of another cluster on this machine.
         f"--dashboard-agent-listen-port={free_port()}"],
        stdout=log, stderr=log, env=here,
    )  # fmt: skip
    yield f"http://127.0.0.1:{dashboard}"
    process.terminate()
    process.wait(timeout=60)


def run_verb(verb, *words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "mmray", verb, *words],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=500,
    )  # fmt: skip


def submit(address, config, *overrides, cwd, options=()):
    from time import monotonic, sleep

    sets = [word for override in overrides for word in ("--set", override)]
    deadline = monotonic() + 90
    while True:
        done = run_verb(
            "submit", str(config), "--address", address, "--json",
            "--workflow", str(ROOT / "workflows" / "fusion.py"), *sets, *options,
            cwd=cwd,
        )  # fmt: skip
        is_up = "no cluster answers" not in done.stderr
        if is_up or monotonic() > deadline:
            return done
        sleep(1)  # the head is still starting


def test_a_job_gives_the_metrics_of_a_local_run_and_a_failing_job_its_exit_code(head, tmp_path):
    small_corpus(tmp_path / "corpus", samples=120)
    config = CONFIGS / "quickstart.yaml"
    corpus = "data.manifest=corpus/manifest.jsonl"

    done = submit(head, config, corpus, "workspace=there", *SETTINGS, cwd=tmp_path)
    failed = submit(head, config, corpus, "workspace=w2", "data.id=nothing", cwd=tmp_path)
    run_workflow(config, corpus, "workspace=here", *SETTINGS, cwd=tmp_path)

    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["status"] == "SUCCEEDED"
    assert "fusion: epoch 3/3" in done.stderr
    assert "next: mmray ui quickstart.yaml" in done.stderr  # by the user's name of it
    reports = [json.loads((tmp_path / w / "report.json").read_text()) for w in ("there", "here")]
    there, here = (report["metrics"]["fusion"]["digit"]["accuracy"] for report in reports)
    assert there == pytest.approx(here, abs=0.02)
    assert failed.returncode == 3
    assert "no column 'nothing'" in failed.stderr


def test_a_detached_job_is_attached_to_listed_read_and_stopped_by_other_commands(head, tmp_path):
    small_corpus(tmp_path / "corpus", samples=60)
    config, where = CONFIGS / "quickstart.yaml", ("--address", head)
    long = ("data.manifest=corpus/manifest.jsonl", "workspace=long", "train.epochs=5000")

    first, again = (
        json.loads(submit(head, config, *long, cwd=tmp_path, options=["--detach"]).stdout)
        for _ in range(2)
    )
    listed = json.loads(run_verb("jobs", *where, "--json", cwd=tmp_path).stdout)
    so_far = run_verb("logs", first["job_id"], *where, "--no-follow", cwd=tmp_path)
    stopped = run_verb("stop", first["job_id"], *where, cwd=tmp_path)
    ended = run_verb("logs", first["job_id"], *where, "--json", cwd=tmp_path)

    assert again["job_id"] == first["job_id"]
    assert {job["job_id"]: job["status"] for job in listed}[first["job_id"]] in (
        "PENDING",
        "RUNNING",
    )
    assert so_far.returncode == 0
    assert "stopping" in stopped.stdout
    assert json.loads(ended.stdout)["status"] == "STOPPED"
    assert ended.returncode == 6


def test_an_address_where_nothing_listens_is_a_cluster_error(tmp_path):
    small_corpus(tmp_path / "corpus", samples=40)
    done = subprocess.run(
        [sys.executable, "-m", "mmray", "submit", str(CONFIGS / "quickstart.yaml"),
         "--address", f"http://127.0.0.1:{free_port()}",
         "--workflow", str(ROOT / "workflows" / "fusion.py")],
        cwd=tmp_path, env=environment(), capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 6
    assert "no cluster answers" in done.stderr
    assert "Traceback" not in done.stderr
