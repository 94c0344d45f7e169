"""Prediction from raw records: the same decode, extract and model as in training."""

import os
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from mmray.config.document import Config
from mmray.config.task.kind import kind_of
from mmray.core.spec import FeatureSpec
from mmray.errors import BundleError, ConfigError
from mmray.features.build import build_extractor
from mmray.features.extractor import Decode, Extractor, extract_batch
from mmray.features.payloads.decoding import safe_decoder
from mmray.features.store import assemble_features
from mmray.media.source import PayloadReader
from mmray.run.bundle.bundle import Bundle, read_bundle
from mmray.run.bundle.foreign.checkpoint import SPARE
from mmray.run.bundle.foreign.loading import loading_foreign
from mmray.run.bundle.foreign.weights import bounded
from mmray.run.predict.mean import mean_outputs
from mmray.run.predict.records import ABSENT, Intake, Record, Records, to_records
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.predict import predict
from mmray.training.tasks.task import Task, Tasks

Prediction = dict[str, Any]


class Predictor:
    """A loaded model bundle, of one model or of several whose mean it predicts."""

    def __init__(self, bundle: Bundle, *, device: torch.device, intake: Intake) -> None:
        self._bundle = bundle
        self._intake = intake
        self._lock = threading.Lock()
        _ALIVE.add(self)
        self._device = device
        self._models = [each.model.to(device) for each in (bundle, *bundle.others)]
        self._extractors: dict[str, Extractor] = {
            name: build_extractor(bundle.config.modalities[name], feature.state)
            for name, feature in bundle.features.items()
        }
        self._decoders: dict[str, Decode] = {
            name: safe_decoder(
                self.config.modalities[name], extractor, timeout_s=self.config.data.max_decode_s
            )
            for name, extractor in self._extractors.items()
        }
        for name, extractor in self._extractors.items():
            if not bundle.features[name].spec.holds(extractor.spec):
                raise BundleError(
                    f"the extractor of {name!r} gives {extractor.spec.describe()}, not the "
                    f"{bundle.features[name].spec.describe()} that the model was trained on",
                    hint="copy the bundle again, or write it again with 'mmray evaluate'",
                )

    @property
    def config(self) -> Config:
        """The document that the model was trained with."""
        return self._bundle.config

    @property
    def metrics(self) -> dict[str, Any]:
        """The model's metrics on the test split."""
        return self._bundle.metrics

    @property
    def tasks(self) -> Tasks:
        """The tasks by name, with their classes."""
        return self._bundle.tasks

    def renew_lock(self) -> None:
        """Forget the holder of the lock: after a fork, its thread does not exist."""
        self._lock = threading.Lock()

    def predict(self, records: Records, *, batch_size: int = 64) -> list[Prediction]:
        """Return one row per record, in order.

        ``records`` is one record, several, or a pandas DataFrame with a row per record. A record
        maps columns of the corpus to payloads: text, a path or URI, bytes, or a ``data:`` URI. A
        column that is absent or None is a missing payload. Each row has ``predictions`` (None when
        no payload could be used), ``present``, and ``rejected`` with a reason per modality.
        ``predictions`` has one entry per task; of an alignment, the embeddings.
        """
        rows: list[Prediction] = []
        for inputs in self._inputs(to_records(records), batch_size):
            outputs = self._outputs(inputs.samples, self._bundle.tasks)
            rows += [self._to_row(row, inputs, outputs) for row in range(len(inputs.samples))]
        return rows

    def embed(
        self, records: Records, *, task: str | None = None, batch_size: int = 64
    ) -> list[dict[str, Any]]:
        """Return the embeddings of each record's payloads in the space of an alignment task.

        They have length one, so their scalar product is their similarity, also across modalities.
        Each row has ``embeddings`` by modality, without absent ones, and ``rejected`` with a reason
        per modality. ``task`` is needed if there are several.

        Raises:
            ConfigError: the model has no alignment of that name, or several and none is named.
        """
        name, alignment = self._alignment(task)
        rows: list[dict[str, Any]] = []
        for inputs in self._inputs(to_records(records), batch_size):
            embeddings = self._outputs(inputs.samples, {name: alignment})[name]  # (B, M, S)
            for values, rejected in zip(embeddings, inputs.rejected, strict=True):
                rows.append(alignment.describe(values) | {"rejected": rejected})
        return rows

    def _alignment(self, named: str | None) -> tuple[str, Task]:
        found = {
            name: task
            for name, task in self._bundle.tasks.items()
            if kind_of(task.config).answer == "embeddings"
        }
        if named is None and len(found) == 1:
            return next(iter(found.items()))
        if named in found:
            return named, found[named]
        if not found:
            raise ConfigError(
                "this model has no embedding space",
                where=str(self._bundle.folder),
                hint="train it with a task of kind 'alignment'",
            )
        raise ConfigError(
            f"there is no alignment {named!r}" if named else "there are several alignments",
            where=str(self._bundle.folder),
            hint=f"give one as 'task': {', '.join(found)}",
        )

    def _inputs(self, records: Sequence[Record], batch_size: int) -> Iterator["_Inputs"]:
        for start in range(0, len(records), batch_size):
            # A server answers from several threads, and a decoder's process from one at a time.
            with self._lock:
                inputs = self._extract(records[start : start + batch_size])
            yield inputs

    def _extract(self, records: Sequence[Record]) -> "_Inputs":
        modalities: dict[str, ModalityFeatures] = {}
        rejected: list[dict[str, dict[str, str]]] = [{} for _ in records]
        for name, feature in self._bundle.features.items():
            config = self._bundle.config.modalities[name]
            taken = [self._intake.payload(config, record) for record in records]
            payloads = [payload for payload, _ in taken]
            batch = extract_batch(self._extractors[name], payloads, self._decoders[name])
            modalities[name] = _to_features(batch.features, feature.spec)
            for row, reason in enumerate(batch.reasons):
                if reason and payloads[row] is not ABSENT:
                    told = {"reason": reason, "detail": batch.details[row]}
                    file = taken[row][1]
                    rejected[row][name] = told | ({"file": file} if file else {})
        ids = [str(row) for row in range(len(records))]
        return _Inputs(Samples(ids=ids, modalities=modalities, labels={}), rejected)

    def _outputs(self, samples: Samples, tasks: Tasks) -> dict[str, np.ndarray[Any, Any]]:
        every = [tasks, *(each.tasks for each in self._bundle.others)]
        with self._lock:
            outputs = [
                predict(model, samples, own, batch_size=len(samples), device=self._device)
                for model, own in zip(self._models, every, strict=True)
            ]
        if len(outputs) == 1:
            return outputs[0]
        return mean_outputs(outputs, [each.weight for each in (self._bundle, *self._bundle.others)])

    def _to_row(
        self, row: int, inputs: "_Inputs", outputs: Mapping[str, np.ndarray[Any, Any]]
    ) -> Prediction:
        features = inputs.samples.modalities
        present = [name for name, feature in features.items() if feature.present[row]]
        predictions = {
            task: _plain(self._bundle.tasks[task].describe(np.asarray(values[row])))
            for task, values in outputs.items()
        }
        return {
            "predictions": predictions if present else None,
            "present": present,
            "rejected": inputs.rejected[row],
        }


class _Inputs(NamedTuple):
    """Records, ready for the model."""

    samples: Samples
    rejected: list[dict[str, dict[str, str]]]
    """Per record and modality: reason and detail."""


def load(
    bundle: str | Path,
    *,
    folder: str | Path | None = None,
    allow: Sequence[str] | None = None,
    trust: bool = False,
    reads_files: bool = True,
) -> Predictor:
    """Load a model bundle, ready to predict from raw records. A GPU is used if there is one.

    Relative paths in records start in ``folder``, by default the current one. Files outside of it
    are read only below the folders and URI prefixes in ``allow``, by default those of the
    document's ``data.allow``. Without ``reads_files`` none is read: payloads are bytes, base64 or
    ``data:`` URIs. With ``trust`` the code that the document names is imported and run.

    Raises:
        BundleError: the bundle is damaged or incomplete, or names code and is not trusted.
    """
    opened = read_bundle(Path(bundle), trust=trust)
    data, location = opened.config.data, str(Path.cwd() if folder is None else folder)
    reader = PayloadReader(
        roots=tuple(data.allow if allow is None else allow),
        folder=location,
        max_bytes=data.max_payload_bytes,
        max_read_s=data.max_read_s,
    )
    intake = Intake(reader if reads_files else None, data.max_payload_bytes)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    most = bounded(opened.held, spare=SPARE, where=str(opened.folder))
    with loading_foreign(opened.folder), most:
        return Predictor(opened, device=device, intake=intake)


_ALIVE: "weakref.WeakSet[Predictor]" = weakref.WeakSet()


def _after_fork() -> None:
    """Let a forked server answer: release locks, and limit torch to one thread.

    A fork has no threads, and torch would wait for its own forever.
    """
    for predictor in _ALIVE:
        predictor.renew_lock()
    if _ALIVE:
        torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)


def _plain(described: dict[str, Any]) -> dict[str, Any]:
    """Return it as plain JSON types: embeddings are arrays."""
    if "embeddings" not in described:
        return described
    return {"embeddings": {name: v.tolist() for name, v in described["embeddings"].items()}}


def _to_features(
    features: Sequence[np.ndarray[Any, Any] | None], spec: FeatureSpec
) -> ModalityFeatures:
    pieces = {row: piece.ravel() for row, piece in enumerate(features) if piece is not None}
    stored = assemble_features(pieces, len(features), spec)
    return ModalityFeatures(
        spec=spec, values=stored.values, offsets=stored.offsets, present=stored.present
    )
