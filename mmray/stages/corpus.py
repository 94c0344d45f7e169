"""A corpus as one command sees it."""

import os
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from mmray.config.data import DataConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.data.manifest.manifest import Manifest
from mmray.data.table.table import corpus_folder, digest_corpus
from mmray.features.payloads.payload import payload_key, remote_uris
from mmray.features.payloads.remote_version import RemoteVersions
from mmray.media.location import is_uri
from mmray.media.remote.address import HostGuard


class Corpus:
    """Digests the manifest once, and looks at each payload once.

    So all stages of a command work on the same state of the corpus.
    """

    def __init__(self, data: DataConfig) -> None:
        self.data = data
        self._remote = RemoteVersions()
        self._versions: dict[tuple[str, str], pa.Array] = {}

    @cached_property
    def digest(self) -> str:
        """A digest of what the document names."""
        return digest_corpus(self.data)

    @cached_property
    def folder(self) -> str:
        """The present base of relative references."""
        return corpus_folder(self.data)

    def versions(
        self, name: str, modality: ModalityConfig, manifest: Manifest, *, prepared: str
    ) -> pa.Array:
        """Return the version of every row's payload of a modality; null where a row has none.

        ``prepared`` is the fingerprint of the manifest.
        """
        key = (prepared, name)
        if key not in self._versions:
            self._versions[key] = self._look(name, modality, manifest)
        return self._versions[key]

    def look_again(self) -> None:
        """Forget the versions: payloads are looked at, and servers asked, when it is needed."""
        self._remote = RemoteVersions()
        self._versions.clear()

    def save_remote(self, workspace: Path) -> None:
        """Write down the versions that servers gave, for later commands."""
        self._remote.save(workspace)

    def recall_remote(self, workspace: Path) -> None:
        """Use the versions that an extraction stored instead of asking servers."""
        self._remote.recall(workspace)

    def _look(self, name: str, modality: ModalityConfig, manifest: Manifest) -> pa.Array:
        is_inline, folder = modality.is_inline, manifest.folder
        folder = folder if is_uri(folder) else os.path.realpath(folder)
        references = manifest.references[name]
        remote: dict[str, str] = {}
        if self.data.remote_version == "etag" and not is_inline:
            guard = HostGuard(folder, self.data.allow)
            uris = remote_uris(references, folder)
            remote = self._remote.of(uris, guard, max_s=self.data.max_read_s)
        keys = [
            None
            if reference is None
            else payload_key(reference, folder, is_inline=is_inline, versions=remote)
            for reference in references
        ]
        return pa.array(keys, pa.string())
