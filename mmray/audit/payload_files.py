"""Whether the files that a manifest names are there, and are what their modality reads."""

import os
import random
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmray.audit.payload_hint import hint_for
from mmray.config.document import Config
from mmray.core.file.suffix import kind_of_name
from mmray.core.text.nearest import shortened
from mmray.data.manifest.manifest import Manifest
from mmray.features.kind import ModalityKind
from mmray.features.kinds import kind_of
from mmray.media.location import is_remote, is_uri, location_of, member_of

ALL = 20_000
"""Up to this many files, all are checked; of more, a sample of ``SOME``."""
SOME = 5_000
SEED = 7


@dataclass(slots=True)
class FilesSeen:
    """Findings about the files of one modality."""

    modality: str
    named: int
    """Number of local files that the manifest names."""
    looked: int = 0
    absent: list[str] = field(default_factory=list[str])
    empty: list[str] = field(default_factory=list[str])
    foreign: list[str] = field(default_factory=list[str])
    """Files with an extension of another kind."""
    hint: str = ""
    """Where the absent files may be."""

    @property
    def absent_fraction(self) -> float:
        """The share of absent files."""
        return len(self.absent) / self.looked if self.looked else 0.0

    def sentences(self) -> Iterator[str]:
        """Yield the problems as sentences."""
        of = f"of {self.looked:,} files" + (" checked" if self.looked < self.named else "")
        for names, what in ((self.absent, "absent"), (self.empty, "empty")):
            if names:
                found = f"{len(names):,} {of} {'is' if len(names) == 1 else 'are'} {what}"
                yield f"{self.modality}: {found}, such as {_example(names)}"
        if self.absent and self.hint:
            yield f"{self.modality}: {self.hint}"
        if self.foreign:
            yield (
                f"{self.modality}: {len(self.foreign):,} of {self.named:,} files have an extension "
                f"of another kind, such as {_example(self.foreign)}"
            )


def look_for_files(manifest: Manifest, config: Config) -> list[FilesSeen]:
    """Check the local files of every modality; remote and inline payloads are skipped."""
    found: list[FilesSeen] = []
    for name, modality in config.modalities.items():
        if not modality.is_inline:
            files = _local_files(manifest.references[name], manifest.folder)
            kind = kind_of(modality)
            found.append(_look(FilesSeen(name, len(files)), files, manifest.folder, kind))
    return [seen for seen in found if seen.named]


def _look(seen: FilesSeen, files: Sequence[str], folder: str, kind: ModalityKind[Any]) -> FilesSeen:
    accepted = {kind.kind, None, *kind.also_reads}
    seen.foreign = [file for file in files if kind_of_name(file) not in accepted]
    looked = files if len(files) <= ALL else random.Random(SEED).sample(files, SOME)
    seen.looked = len(looked)
    for file in looked:
        size = _size_of(location_of(file, folder))
        if not size:
            (seen.absent if size is None else seen.empty).append(file)
    if seen.absent:
        seen.hint = hint_for(seen.absent[0], folder)
    return seen


def _local_files(references: Sequence[str | bytes | None], folder: str) -> list[str]:
    """Return the references to local files; members of archives were just read."""
    if is_remote(folder):
        return []
    return [
        reference
        for reference in references
        if isinstance(reference, str)
        and not is_uri(location_of(reference, folder))
        and member_of(reference) is None
    ]


def _size_of(path: str) -> int | None:
    """Return the size of a file, or None if it is absent."""
    try:
        status = os.stat(path)  # noqa: PTH116 (asked of every payload: a Path takes as long again)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _example(names: Sequence[str]) -> str:
    return repr(shortened(names[0]))
