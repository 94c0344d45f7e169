"""How a benchmark says what it found."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways of the same work, measured in turn in one run."""

    name: str
    claim: str
    unit: str
    ours: Sequence[float]
    other: Sequence[float]
    other_name: str
    is_larger_better: bool
    settings: dict[str, Any]
    is_paired: bool = False
    """The ways take turns within each round, so what slows a round down slows both: the ratio is
    the median of the rounds' own."""

    @property
    def ratios(self) -> list[float]:
        """How many times better ours is, in each round."""
        pairs = zip(self.ours, self.other, strict=self.is_paired)
        return [self._better(ours, other) for ours, other in pairs]

    def _better(self, ours: float, other: float) -> float:
        return ours / other if self.is_larger_better else other / ours

    def to_dict(self) -> dict[str, Any]:
        """Return medians, and how many times better ours is."""
        ours, other = statistics.median(self.ours), statistics.median(self.other)
        return {
            "name": self.name,
            "ours": ours,
            "other": other,
            "ratio": statistics.median(self.ratios)
            if self.is_paired
            else self._better(ours, other),
            "unit": self.unit,
            "claim": self.claim,
            "other_name": self.other_name,
            "rounds": {"ours": list(self.ours), "other": list(self.other)},
            "settings": self.settings,
            "hardware": hardware(),
        }


def parse(description: str) -> argparse.Namespace:
    """Return the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    add_options(parser)
    return parser.parse_args()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every benchmark has."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")


def tell(comparison: Comparison, *, as_json: bool) -> None:
    """Print the outcome for people, or as one document."""
    found = comparison.to_dict()
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(comparison.claim)
    print(f"  ours   {_short(found['ours'])} {found['unit']}")
    print(f"  other  {_short(found['other'])} {found['unit']}  ({comparison.other_name})")
    rounds = ", ".join(f"{ratio:.3f}" for ratio in comparison.ratios)
    of_rounds = f"; the median of {rounds}" if comparison.is_paired else ""
    print(f"  ratio  {found['ratio']:10.3f}  (above 1: ours is better{of_rounds})")
    print(f"  settings: {json.dumps(comparison.settings)}")
    print(f"  hardware: {json.dumps(found['hardware'])}")


def _short(value: float) -> str:
    """Write a number with as many digits as say something."""
    return f"{value:10.1f}" if value >= 10 else f"{value:10.3f}"


def hardware() -> dict[str, Any]:
    """Say on what it was measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
    }
