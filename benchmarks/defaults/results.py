"""Results in a file of JSON lines, written as they come."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.defaults.settings import Settings
from benchmarks.defaults.training import Outcome

Key = tuple[str, str, str, int]
"""Corpus, modalities, settings as JSON, seed."""


def key_of(corpus: str, modalities: Sequence[str], settings: Settings, seed: int) -> Key:
    """Return the key of a training."""
    return corpus, " ".join(modalities), json.dumps(settings, sort_keys=True), seed


class Results:
    """The outcomes so far; a new one is appended at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[Key, Outcome] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for line in lines:
            row: dict[str, Any] = json.loads(line)
            key = key_of(
                row.pop("corpus"), row.pop("modalities"), row.pop("settings"), row.pop("seed")
            )
            self._found[key] = Outcome(**row)

    def modalities(self, corpus: str) -> list[str]:
        """Return the modalities of a corpus in order, as far as a fusion was trained on it."""
        names = max((k[1].split() for k in self._found if k[0] == corpus), key=len, default=[])
        return names if len(names) > 1 else []

    def get(self, key: Key) -> Outcome | None:
        """Return the outcome of a training, if there is one."""
        return self._found.get(key)

    def add(self, key: Key, outcome: Outcome) -> None:
        """Keep an outcome."""
        self._found[key] = outcome
        corpus, modalities, settings, seed = key
        row = {
            "corpus": corpus,
            "modalities": modalities.split(),
            "settings": json.loads(settings),
            "seed": seed,
            **asdict(outcome),
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
