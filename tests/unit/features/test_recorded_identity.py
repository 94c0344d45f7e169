"""Identities as they were recorded: a change of one makes features in workspaces out of date.

Where a change is meant (an extractor's version was raised), record it anew:
``python -m tests.unit.features.test_recorded_identity``.
"""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.core.fingerprint import fingerprint
from mmray.features.build import extractor_identity
from mmray.features.fit import fit_identity, learns_by_network, needs_fit
from mmray.features.payloads.decoding import is_guarded
from tests.support.identity import DOCUMENTS, make_files

RECORDED = Path(__file__).with_name("recorded_identity.json")
CHECK = TypeAdapter(ModalityConfig)


def described(document, files):
    """Return what other parts of a workspace rely on."""
    text = json.dumps(document).replace("{files}", str(files))
    config = CHECK.validate_python(json.loads(text))
    return {
        "identity": fingerprint(extractor_identity(config, files / "state")),
        "fit": fingerprint(*fit_identity(config)) if needs_fit(config) else None,
        "by_network": learns_by_network(config),
        "guarded": is_guarded(config),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_identity_is_the_recorded_one(name, files):
    assert described(DOCUMENTS[name], files) == json.loads(RECORDED.read_text())[name]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = make_files(Path(folder))
        found = {name: described(document, made) for name, document in DOCUMENTS.items()}
    RECORDED.write_text(json.dumps(found, indent=1) + "\n")
