"""Default settings, measured: fusions against their best modality over many corpora.

    python -m benchmarks.defaults --work FOLDER [--parts PARTS] [--group confirm] [--seeds 3]
        [--corpora "embedded/400" ...] [--candidates old new ...] [--table]

PARTS holds real corpora: ``av_mnist``, ``fsdd``, ``mnist``, ``noise``, ``cxr`` and ``weights``
(checkpoints); without it only the generated corpora are used. Features are extracted once by the
product's own stages; every model is trained by its own loop in this process, one thread. Each
candidate is a set of settings; its fusion is compared with the best of the single modalities,
trained with the same settings as far as they concern them, sample by sample over all seeds as
``mmray evaluate`` does. Outcomes are appended to ``FOLDER/results.jsonl``: what is there is not
done again, and ``--table`` trains nothing. ``rank`` is the mean rank of the candidate over the
corpora, ``worst`` its largest loss against a best modality.
"""

import argparse
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks.defaults.corpora import Corpus, corpora
from benchmarks.defaults.results import Results, key_of
from benchmarks.defaults.settings import GROUPS, Settings, of_single
from benchmarks.defaults.table import Row, corpus_lines, make_row, summary_lines
from benchmarks.defaults.training import Outcome, train

Opener = Callable[[], Corpus]


def variants(
    encoders: Sequence[str], settings: Settings
) -> dict[str, tuple[tuple[str, ...], Settings]]:
    """Return the modalities and settings of the fusion and of each modality alone."""
    single = of_single(settings)
    return {"fusion": (tuple(encoders), settings)} | {n: ((n,), single) for n in encoders}


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    results: Results
    seeds: int
    trains: bool
    """Whether what is missing is trained."""

    def row(self, name: str, opener: Opener, settings: Settings) -> Row | None:
        """Return a candidate's row on a corpus, if all trainings are there."""
        outcomes: dict[str, list[Outcome]] = {}
        encoders = self.results.modalities(name) or list(opener().encoders)
        for variant, (modalities, own) in variants(encoders, settings).items():
            for seed in range(self.seeds):
                key = key_of(name, modalities, own, seed)
                outcome = self.results.get(key)
                if outcome is None and not self.trains:
                    return None
                if outcome is None:
                    outcome = train(opener(), modalities, own, seed=seed)
                    self.results.add(key, outcome)
                outcomes.setdefault(variant, []).append(outcome)
        fusion = outcomes.pop("fusion")
        return make_row(fusion, outcomes)


def measure(options: argparse.Namespace, bench: Bench) -> dict[str, dict[str, Row]]:
    """Return the rows by candidate and corpus."""
    candidates = GROUPS[options.group]
    table: dict[str, dict[str, Row]] = {name: {} for name in options.candidates or candidates}
    for corpus, opener in corpora(options.work, options.parts).items():
        if options.corpora and corpus not in options.corpora:
            continue
        once = cache(opener)
        for name, rows in table.items():
            started = time.monotonic()
            row = bench.row(corpus, once, candidates[name])
            if row is not None:
                rows[corpus] = row
                tell(f"{corpus:<22}{name:<34}", row, time.monotonic() - started)
    return table


def tell(name: str, row: Row, seconds: float) -> None:
    """Say what was found, unless it was known."""
    if seconds > 0.5:
        print(f"{name}{row.fusion:7.3f}{row.gain.value:+7.3f}{seconds:7.1f} s", flush=True)


def main() -> None:
    """Train what is missing, and print the tables."""
    options = parse_options()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    options.work.mkdir(parents=True, exist_ok=True)
    results = Results(options.work / "results.jsonl")
    table = measure(options, Bench(results, options.seeds, trains=not options.table))
    print("\n".join([*corpus_lines(table), "", *summary_lines(table)]))


def parse_options() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="kept, so that a later run resumes"
    )
    parser.add_argument("--parts", type=Path, help="folder of the real corpora")
    parser.add_argument("--group", choices=list(GROUPS), default="confirm")
    parser.add_argument("--candidates", nargs="*", help="names in the group; all by default")
    parser.add_argument("--corpora", nargs="*", help="all by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="train nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
