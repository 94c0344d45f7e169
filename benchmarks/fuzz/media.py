"""Decoders on damaged files: decoded or rejected, and nothing else.

Each decoder runs as in the product, in a process of its own. A process that dies or hangs is a
crash; memory is that process's own, after the first tenth of the files and at the end, and is
meaningful only if one process decoded them all: the number of processes is reported.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psutil
from pydantic import TypeAdapter

from benchmarks.mutation import mutate
from mmray.config.modality.modality import ModalityConfig
from mmray.core.rejection import Rejection
from mmray.features.build import build_extractor
from mmray.media.guard.guard import GuardedDecoder

TIMEOUT_S = 30.0
CRASHES = ("decode_crashed", "decode_timeout")
EXTRACTS: dict[str, dict[str, Any]] = {
    "text": {"clean": {"redact": ["email", "phone"]}, "extract": {"kind": "bow", "hashing": True}},
    "image": {"extract": {"kind": "pixels"}},
    "audio": {"extract": {"kind": "mfcc"}},
    "video": {"extract": {"kind": "frames"}},
}


def fuzz(kind: str, specimens: Mapping[str, bytes], files: int) -> dict[str, Any]:
    """Decode ``files`` damaged files, the formats in turn."""
    document = {"kind": kind, "column": "c", **EXTRACTS[kind]}
    config = TypeAdapter(ModalityConfig).validate_python(document)
    decode = GuardedDecoder(build_extractor(config, None).decode, timeout_s=TIMEOUT_S)
    for name, payload in specimens.items():
        _check_specimen(decode, name, payload)
    reasons: Counter[str] = Counter()
    sizes = [0.0]
    processes = {decode.pid}
    started = time.monotonic()
    names = list(specimens)
    for number in range(files):
        payload = mutate(specimens[names[number % len(names)]], seed=number)
        try:
            decode(payload)
            reasons["decoded"] += 1
        except Rejection as rejection:
            reasons[rejection.reason] += 1
        processes.add(decode.pid)
        if number == files // 10 or number == files - 1:
            sizes.append(_memory_mb(decode))
    decode.close()
    return {
        "decoder": kind,
        "files": files,
        "formats": names,
        "decoded": reasons.pop("decoded", 0),
        "rejected": dict(reasons.most_common()),
        "crashes": sum(reasons[reason] for reason in CRASHES),
        "seconds": time.monotonic() - started,
        "early_mb": sizes[1],
        "late_mb": sizes[-1],
        "processes": len(processes - {None}),
    }


def _check_specimen(decode: GuardedDecoder, name: str, payload: bytes) -> None:
    """A specimen that is broken before it is damaged would prove nothing."""
    try:
        decode(payload)
    except Rejection as rejection:
        raise SystemExit(f"{name}: {rejection.reason}: {rejection.detail}") from None


def _memory_mb(decode: GuardedDecoder) -> float:
    return psutil.Process(decode.pid).memory_info().rss / 1e6 if decode.pid else 0.0


def describe_media(outcome: Mapping[str, Any]) -> None:
    """Print what became of the files."""
    formats = outcome["formats"]
    print(f"{outcome['decoder']}: {outcome['files']} files in {outcome['seconds']:.0f} s")
    print(f"  from {len(formats)} formats: {', '.join(formats)}")
    print(f"  decoded {outcome['decoded']}, crashes {outcome['crashes']}")
    for reason, count in outcome["rejected"].items():
        print(f"  {reason}: {count}")
    early, late = outcome["early_mb"], outcome["late_mb"]
    print(f"  memory: {early:.0f} MB after a tenth, {late:.0f} MB at the end")
    print(f"  processes: {outcome['processes']}", flush=True)
