"""What is fuzzed: how a broken one is made, and how it is used."""

import atexit
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from benchmarks.fuzz.forked import Outcome, run_forked

FINE = ("valid", "error")
EXAMPLES = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of input."""

    name: str
    break_one: Callable[[Path, int], str]
    """Writes the broken input of a seed into an empty folder, and says what was done."""
    use: Callable[[Path], Any]
    """Uses what lies in the folder, as a verb does; returns plain JSON."""
    accepts: Callable[[Any, Any], bool] = lambda good, found: True
    """Whether a result is right, given that of the unbroken input; else it is ``different``."""
    timeout_s: float = 20.0


@dataclass(slots=True)
class Findings:
    """What became of the cases of a subject."""

    name: str
    cases: int = 0
    words: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])
    slowest_s: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What may not be, by its detail: which seeds, and what had been done to the input."""

    def add(self, seed: int, done: str, outcome: Outcome) -> None:
        """Count a case."""
        self.cases += 1
        self.words[outcome.word] += 1
        self.slowest_s = max(self.slowest_s, outcome.seconds)
        if outcome.word == "error":
            self.errors[outcome.detail.split(":", 1)[0]] += 1
        if outcome.word not in FINE:
            examples = self.faults.setdefault(f"{outcome.word}: {outcome.detail}", [])
            examples.append(f"seed {seed} ({done})")

    @property
    def has_faults(self) -> bool:
        """Whether anything happened that may not."""
        return bool(self.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        faults = {what: examples[:EXAMPLES] for what, examples in self.faults.items()}
        return {
            "subject": self.name,
            "cases": self.cases,
            "outcomes": dict(self.words),
            "errors": dict(self.errors),
            "slowest_s": round(self.slowest_s, 2),
            "faults": faults,
        }


def temporary_home(name: str) -> Path:
    """Return a folder for what all cases start from; it is removed at the end of this process."""
    home = Path(mkdtemp(prefix=f"mmray-fuzz-{name}-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def fuzz_subject(subject: Subject, seeds: range) -> Findings:
    """Use every broken input in a child of this process."""
    findings = Findings(subject.name)
    good = _good_result(subject)
    for seed in seeds:
        with TemporaryDirectory(prefix="mmray-fuzz-", ignore_cleanup_errors=True) as folder:
            done = subject.break_one(Path(folder), seed)
            outcome = run_forked(lambda: subject.use(Path(folder)), subject.timeout_s)
        if outcome.word == "valid" and not subject.accepts(good, outcome.result):
            outcome = Outcome("different", _first_difference(good, outcome.result))
        findings.add(seed, done, outcome)
    return findings


def describe_findings(findings: Findings) -> Iterator[str]:
    """Yield lines for people."""
    words = ", ".join(f"{word} {count}" for word, count in findings.words.most_common())
    yield f"{findings.name}: {findings.cases} cases, {words}; slowest {findings.slowest_s:.1f} s"
    for what, examples in findings.faults.items():
        yield f"  {len(examples)} x {what}"
        yield from (f"      {example}" for example in examples[:3])


def _good_result(subject: Subject) -> Any:
    """An input that is broken before it is changed would prove nothing."""
    with TemporaryDirectory(prefix="mmray-fuzz-") as folder:
        subject.break_one(Path(folder), -1)
        outcome = run_forked(lambda: subject.use(Path(folder)), 10 * subject.timeout_s)
    if outcome.word != "valid":
        raise SystemExit(f"{subject.name}, unbroken: {outcome.word}: {outcome.detail}")
    return outcome.result


def _first_difference(good: Any, found: Any) -> str:
    return f"{str(good)[:100]} became {str(found)[:100]}"
