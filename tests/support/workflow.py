"""Workflows as a person runs them: a command in a process of its own, on a small corpus."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mmray.cli.workflow import run_stages
from mmray.config.reading.load import load_config
from mmray.data.demo_corpus.corpus import write_corpus
from workflows.fusion import STAGES as FUSION_STAGES

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "workflows" / "configs"
FAST = ("train.epochs=2", "train.workers=1", "evaluation.seeds=1")


def small_corpus(folder, samples=160):
    return write_corpus(folder, samples=samples, seed=3).manifest


def command(config, *overrides, workflow="fusion", options=("--json",)):
    sets = [word for override in overrides for word in ("--set", override)]
    return [
        sys.executable,
        str(ROOT / "workflows" / f"{workflow}.py"),
        str(config),
        *sets,
        *options,
    ]


def environment():
    inherited = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return inherited | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


def run_workflow(config, *overrides, cwd, workflow="fusion"):
    """Run to the end and return the JSON report; a failure shows what was printed."""
    done = subprocess.run(
        command(config, *overrides, workflow=workflow),
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=540,
    )  # fmt: skip
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr[-4000:]}"
    return json.loads(done.stdout)


def run_here(config, *overrides, stages=None):
    """Run all stages in this process, on the session's cluster, and return the last report.

    What a process of its own shows besides, start and end, other tests show.
    """
    loaded = load_config(config, overrides)
    return run_stages(loaded, stages or FUSION_STAGES)[-1]


def kill_when(condition, config, *overrides, cwd, workflow="fusion", number=signal.SIGKILL):
    """Start a workflow, send it a signal as soon as ``condition()`` holds: its code, its words."""
    log = Path(cwd) / "killed.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command(config, *overrides, workflow=workflow),
            cwd=cwd, env=environment(), stdout=subprocess.DEVNULL, stderr=stream,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 180
        while not condition():
            assert process.poll() is None, "the workflow ended before it could be killed"
            assert time.monotonic() < deadline, "what to wait for did not come"
            time.sleep(0.02)
        process.send_signal(number)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    return process.returncode, log.read_text()


def demo_overrides(manifest, workspace):
    return (f"data.manifest={manifest}", f"workspace={workspace}", *FAST)
