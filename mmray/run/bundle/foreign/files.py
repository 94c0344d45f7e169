"""The files of a bundle: their types and digests."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from mmray.core.file.atomic import replacing
from mmray.core.file.bounded import read_bounded
from mmray.core.fingerprint import find_unsealed, seal_files
from mmray.errors import BundleError

SUMS = "SHA256SUMS"
"""The list of all other files, in the format of ``sha256sum``."""
CARD = "README.md"
"""The model card, which is not in the list: nothing reads it, and people may add to it."""
SUFFIXES = (".json", ".safetensors", ".txt", ".model")
"""Extensions of files that hold only data. Pickled weights and Python code are not among them."""
VECTORS = "vectors.bin"
"""Word vectors in mmray's own format."""
MAX_SUMS_BYTES = 2**20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_AGAIN = "copy the bundle again, or write it again with 'mmray evaluate'"


def seal_bundle(folder: Path) -> None:
    """Write the list of the files in ``folder``; call it last."""
    names = [name for name in _names(folder) if name not in (CARD, SUMS)]
    lines = [f"{seal}  {name}\n" for name, seal in seal_files(folder, names).items()]
    with replacing(folder / SUMS) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def check_files(folder: Path, *needed: str) -> None:
    """Refuse a bundle with a file that is missing, changed, not listed, or of a kind that runs.

    ``needed`` are the names that every bundle lists.
    """
    seals = _read_sums(folder)
    absent = [name for name in needed if name not in seals]
    wrong = dict.fromkeys(absent, f"is not listed in {SUMS}")
    wrong |= {name: problem for name in seals if (problem := _problem(folder, name))}
    wrong |= {
        name: f"is not listed in {SUMS}"
        for name in _names(folder)
        if "/" in name and name not in seals and not Path(name).name.startswith(".")
    }
    wrong = wrong or find_unsealed(folder, seals)
    if wrong:
        name, problem = next(iter(wrong.items()))
        more = f" ({len(wrong) - 1} more files are not as listed)" if len(wrong) > 1 else ""
        raise BundleError(f"{name!r} {problem}{more}", where=str(folder), hint=_AGAIN)


def _problem(folder: Path, name: str) -> str | None:
    """Return the problem of a listed file without opening it."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        return "lies outside the bundle"
    if path.suffix not in SUFFIXES and path.name != VECTORS:
        return f"is none of {', '.join(SUFFIXES)}: a bundle holds neither code nor pickled weights"
    try:
        if not stat.S_ISREG((folder / path).stat().st_mode):
            return "is not a regular file"
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return "is not there"
    return None


def _read_sums(folder: Path) -> dict[str, str]:
    if not (folder / SUMS).exists():
        raise BundleError(
            f"this bundle has no {SUMS}, the list of its files",
            where=str(folder),
            hint="it is incomplete, or an older mmray wrote it; remove it and run 'mmray evaluate'",
        )
    content = read_bounded(folder / SUMS, max_bytes=MAX_SUMS_BYTES, error=BundleError)
    seals: dict[str, str] = {}
    for line in content.decode("utf-8", errors="replace").splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise BundleError(f"{SUMS} is damaged", where=str(folder / SUMS), hint=_AGAIN)
        seals[found[2]] = found[1]
    return seals


def _names(folder: Path) -> Iterator[str]:
    """Yield the files below ``folder``, with slashes on every system."""
    for path in sorted(folder.rglob("*")):
        if not path.is_dir():
            yield path.relative_to(folder).as_posix()
