from typing import get_args

from mmray.config.modality.modality import ModalityConfig
from mmray.core.kind import Kind
from mmray.features.kinds import KINDS


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
