"""Prepare, extract, train, evaluate: from a manifest and one document to a model.

    python workflows/fusion.py workflows/configs/quickstart.yaml
    python workflows/fusion.py my.yaml --set train.epochs=30 --set model.fusion.kind=gated

Complete stages are skipped. ``mmray submit my.yaml`` runs the same on a Ray cluster.
"""

from mmray.cli.workflow import run_workflow
from mmray.stages import evaluate, extract, prepare, train

STAGES = (prepare.run, extract.run, train.run, evaluate.run)

if __name__ == "__main__":
    run_workflow(STAGES)
