"""Damaged inputs: used, or refused in words, and nothing else.

    python -m benchmarks.fuzz [--json] [--only image] [--files 2000] [--cases 2000] [--from 0]

Decoders get ``--files`` damaged files each: decoded or rejected. Documents, manifests, bundles
(damaged, and forged by an author who lists their files anew), markers and checkpoints get
``--cases`` each, in a child of a warm process: a valid result or an error that says what is wrong;
no traceback, no hang, no crash, no memory past 4 GiB, and where something is damaged that has a
digest, no other result. The exit status is 1 where there is one.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks.fuzz.bundle import bundle_subject, forged_subject
from benchmarks.fuzz.document import document_subject
from benchmarks.fuzz.manifest import manifest_subject
from benchmarks.fuzz.media import describe_media, fuzz
from benchmarks.fuzz.subject import Subject, describe_findings, fuzz_subject
from benchmarks.fuzz.training import checkpoint_subject, marker_subject
from benchmarks.report import hardware
from benchmarks.specimen import SPECIMENS

SUBJECTS: dict[str, Callable[[], Subject]] = {
    "document": document_subject,
    "manifest": manifest_subject,
    "bundle": bundle_subject,
    "forged": forged_subject,
    "marker": marker_subject,
    "checkpoint": checkpoint_subject,
}


def main() -> None:
    """Fuzz and print what was found."""
    options = _options()
    names = [options.only] if options.only else [*SPECIMENS, *SUBJECTS]
    found: list[dict[str, Any]] = []
    is_clean = True
    for name in names:
        if name in SPECIMENS:
            found.append(fuzz(name, SPECIMENS[name](), options.files))
            is_clean &= not found[-1]["crashes"]
            if not options.json:
                describe_media(found[-1])
        else:
            seeds = range(options.start, options.start + options.cases)
            found.append(_fuzz(SUBJECTS[name](), seeds, is_quiet=options.json))
            is_clean &= not found[-1]["faults"]
    if options.json:
        print(json.dumps({"name": "fuzz", "found": found, "hardware": hardware()}, indent=2))
    raise SystemExit(not is_clean)


def _fuzz(subject: Subject, seeds: range, *, is_quiet: bool) -> dict[str, Any]:
    started = time.monotonic()
    findings = fuzz_subject(subject, seeds)
    seconds = time.monotonic() - started
    if not is_quiet:
        for line in describe_findings(findings):
            print(line)
        print(f"  in {seconds:.0f} s", flush=True)
    return findings.to_dict() | {"seconds": round(seconds)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--files", type=int, default=2000, help="files per decoder")
    parser.add_argument("--cases", type=int, default=2000, help="cases of everything else")
    parser.add_argument("--from", dest="start", type=int, default=0, help="first seed of the cases")
    parser.add_argument("--only", choices=[*sorted(SPECIMENS), *SUBJECTS], help="one of them")
    return parser.parse_args()


if __name__ == "__main__":
    main()
