"""The plan of the embedded corpus, before anything is written."""

from dataclasses import dataclass

import numpy as np

from mmray.data.demo_corpus.damage import AUDIO_DAMAGES, IMAGE_DAMAGES, Damage
from mmray.data.demo_corpus.handwriting import load_scans

MODALITIES = ("text", "image", "audio")
SPLIT_SHARES = {"val": 2 / 15, "test": 3 / 15}
MISSING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """One sample before it is written."""

    number: int
    split: str
    scan: int
    """Which scanned digit the photo shows."""
    missing: frozenset[str]
    """Modalities of which the sample has no payload."""
    damages: dict[str, tuple[str, Damage]]
    """Per modality with a broken payload: its suffix, and how it is broken."""

    @property
    def sample_id(self) -> str:
        """The id in the manifest, counted from 1."""
        return f"s{self.number + 1:04d}"


def plan_samples(samples: int, *, seed: int) -> list[PlannedSample]:
    """Decide the split, scan, gaps and damage of every sample, none of them by its digit."""
    rng = np.random.default_rng([seed, 0])
    splits = _plan_splits(samples, rng)
    scans = _plan_scans(splits, rng)
    missing = _plan_missing(samples, rng)
    damages = _plan_damages(missing, rng)
    return [
        PlannedSample(
            number, splits[number], scans[number], missing[number], damages.get(number, {})
        )
        for number in range(samples)
    ]


def _plan_splits(samples: int, rng: np.random.Generator) -> list[str]:
    """Give 2/3 of the samples to train, 2/15 to val and 3/15 to test, in random order."""
    held_out = [
        split for split, share in SPLIT_SHARES.items() for _ in range(round(share * samples))
    ]
    splits = held_out + ["train"] * (samples - len(held_out))
    return rng.permutation(splits).tolist()


def _plan_scans(splits: list[str], rng: np.random.Generator) -> list[int]:
    """Draw a scan for each sample; none crosses splits or comes twice while there are others."""
    order = rng.permutation(len(load_scans().digits)).tolist()
    ends = np.cumsum([round(share * len(order)) for share in SPLIT_SHARES.values()])
    val, test, train = np.split(np.array(order), ends)
    pools = {"val": val, "test": test, "train": train}
    used = dict.fromkeys(pools, 0)
    scans: list[int] = []
    for split in splits:
        scans.append(int(pools[split][used[split] % len(pools[split])]))
        used[split] += 1
    return scans


def _plan_missing(samples: int, rng: np.random.Generator) -> list[frozenset[str]]:
    """Remove a tenth of the payloads of each modality, never the last one of a sample."""
    missing: list[frozenset[str]] = [frozenset()] * samples
    for modality in MODALITIES:
        candidates = [number for number in range(samples) if len(missing[number]) < 2]
        for number in rng.choice(candidates, round(MISSING_SHARE * samples), replace=False):
            missing[number] |= {modality}
    return missing


def _plan_damages(
    missing: list[frozenset[str]], rng: np.random.Generator
) -> dict[int, dict[str, tuple[str, Damage]]]:
    """Spread one damage of each kind over complete samples."""
    complete = [number for number, gaps in enumerate(missing) if not gaps]
    kinds = [("image", kind) for kind in IMAGE_DAMAGES] + [
        ("audio", kind) for kind in AUDIO_DAMAGES
    ]
    numbers = rng.choice(complete, len(kinds), replace=False).tolist()
    return {number: dict([kind]) for number, kind in zip(numbers, kinds, strict=True)}
