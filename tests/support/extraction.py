"""Prepare and extract on a small corpus, in this process: the stages without Ray."""

import json
from functools import partial
from pathlib import Path
from threading import Event

from mmray.features.build import build_extractor
from mmray.media.source import read_and_decode
from mmray.stages import extract, prepare
from mmray.stages.workspace import Workspace
from mmray.tracking.memory import MemoryTracker
from tests.support.document import make_config, write_lines


class Here:
    """Computes in this process and remembers which samples."""

    def __init__(self):
        self.computed = {}

    def beside(self, config, job):
        return job(Event())

    def __call__(self, jobs):
        return {job.name: self._compute(job) for job in jobs}

    def _compute(self, job):
        from mmray.distributed.extraction.shard_actor import extract_shard
        from mmray.distributed.extraction.shard_plan import ExtractionPlan
        from mmray.distributed.extraction.shard_task import cut_shard_tasks
        from mmray.features.spec import fitted_spec

        modality, data = job.config.modalities[job.name], job.config.data
        plan = ExtractionPlan(
            name=job.name, config=modality, spec=fitted_spec(modality, job.state), state=None,
            output=str(job.folder), corpus=job.manifest.folder, allow=data.allow,
            max_payload_bytes=data.max_payload_bytes, max_decode_s=data.max_decode_s,
        )  # fmt: skip
        extractor = build_extractor(modality, job.state)
        self.computed.setdefault(job.name, []).extend(sample for sample, _, _ in job.pending)
        for task in cut_shard_tasks(job.pending, actors=2):
            extract_shard(
                extractor, partial(read_and_decode, plan.reader(), extractor.decode), plan, task
            )
        return {"seconds": 0.0, "samples_per_s": 0.0, "actors": 1}


class Corpus:
    """A folder with a manifest and a workspace."""

    def __init__(self, folder, rows, **modalities):
        self.folder = Path(folder)
        self.workspace = self.folder / "job"
        self.modalities = modalities
        self.data = {}
        self.write(rows)

    def write(self, rows):
        self.rows = rows
        write_lines(self.folder / "manifest.jsonl", rows)

    @property
    def config(self):
        manifest = str(self.folder / "manifest.jsonl")
        data = {"manifest": manifest, "split": {"column": "part"}} | self.data
        workspace = str(self.workspace)
        return make_config(workspace=workspace, data=data, modalities=self.modalities)

    def extract(self, **options):
        """Return the report and which samples were computed, by modality."""
        here, tracker = Here(), MemoryTracker()
        workspace = Workspace(self.config)
        prepare.run(workspace, tracker)
        report = extract.run(workspace, tracker, compute=here, **options)
        self.logged = tracker.parent()
        return report, here.computed

    def folders(self):
        """Return the feature folder of each modality, as the later stages find it."""
        features = Workspace(self.config).extracted.features
        return {name: feature.folder for name, feature in features.items()}


def notes(count, **columns):
    """Return rows with a note each; of ten samples eight are train, one val, one test."""
    parts = ["train"] * 8 + ["val", "test"]
    return [
        {"sample_id": f"s{n}", "note": f"note number {n}", "label": "ab"[n % 2],
         "part": parts[n % 10]} | {key: make(n) for key, make in columns.items()}
        for n in range(count)
    ]  # fmt: skip


def read_marker(folder):
    return json.loads((folder / "_SUCCESS.json").read_text(encoding="utf-8"))
