import pickle
import subprocess
import sys
from typing import get_args

import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.core.kind import Kind
from mmray.features.build import build_extractor
from mmray.features.kinds import KINDS

DECODED = [
    {"kind": "text", "extract": {"kind": "bow", "hashing": True}},
    {"kind": "image"},
    {"kind": "audio"},
    {"kind": "video"},
    {"kind": "series"},
]


def sections_of(annotation):
    """Return the classes of an annotated union, or of the one class that is told."""
    union = get_args(annotation)[0]
    return set(get_args(union) or (union,))


def test_every_kind_of_modality_has_one_record_under_its_name():
    assert [kind.kind for kind in KINDS] == list(Kind)
    assert {kind.config for kind in KINDS} == sections_of(ModalityConfig)
    for kind in KINDS:
        assert kind.config.model_fields["kind"].default == kind.kind


def test_every_extractor_of_the_document_has_one_record():
    for kind in KINDS:
        field = kind.config.model_fields["extract"]
        told = set(get_args(field.annotation) or (field.annotation,))
        recorded = [extractor.config for extractor in kind.extractors]

        assert set(recorded) == told
        assert len(recorded) == len(told)


@pytest.mark.parametrize("document", DECODED, ids=lambda document: document["kind"])
def test_a_process_that_decodes_loads_neither_documents_nor_records(document, tmp_path):
    config = TypeAdapter(ModalityConfig).validate_python({"column": "c"} | document)
    (tmp_path / "decode").write_bytes(pickle.dumps(build_extractor(config, None).decode))
    program = (
        f"import pickle, sys\npickle.load(open({str(tmp_path / 'decode')!r}, 'rb'))\n"
        "sys.exit(str(sorted({'pydantic', 'mmray.features.kind', 'torch'} & set(sys.modules))))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stderr.strip() == "[]"
