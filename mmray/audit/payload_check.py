"""Findings of check and prepare about the files of the manifest."""

from mmray.audit.payload_files import FilesSeen, look_for_files
from mmray.config.document import Config
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ManifestError


def payload_warnings(manifest: Manifest, config: Config) -> tuple[str, ...]:
    """Return warnings, in sentences: absent and empty files, files of another kind, unused ones."""
    seen = look_for_files(manifest, config)
    return _warnings(manifest, seen)


def check_payloads(manifest: Manifest, config: Config) -> tuple[str, ...]:
    """Return what was checked, and warnings; too many absent files are a ManifestError.

    Too many are more than ``data.max_rejected_fraction``: extraction would fail.
    """
    seen = look_for_files(manifest, config)
    for files in seen:
        if files.absent_fraction > config.data.max_rejected_fraction:
            first, *_ = files.sentences()
            raise ManifestError(
                first,
                where=config.data.manifest,
                hint=files.hint or "see 'data.manifest' and the columns of the document",
            )
    looked = ", ".join(
        f"{files.looked:,} of {files.named:,} {files.modality}" for files in seen if files.named
    )
    told = (f"files checked: {looked}",) if looked else ()
    return told + _warnings(manifest, seen)


def _warnings(manifest: Manifest, seen: list[FilesSeen]) -> tuple[str, ...]:
    found = [*manifest.warnings, *(words for files in seen for words in files.sentences())]
    return tuple(f"warning: {words}" for words in found)
