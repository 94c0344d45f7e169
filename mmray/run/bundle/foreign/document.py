"""The content of bundle.json, checked before anything is built from it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from mmray import __version__
from mmray.config.base import StrictModel
from mmray.config.document import Config
from mmray.config.reading.load import check_document
from mmray.core.file.bounded import parse_json, read_bounded
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec, Layout
from mmray.errors import BundleError
from mmray.run.bundle.foreign.number import numbers_in

FORMAT = 2
DOCUMENT = "bundle.json"
MAX_DOCUMENT_BYTES = 64 * 2**20
MAX_FEATURE_BYTES = 2**31
"""Largest feature of one sample and modality, in bytes."""
MAX_NUMBER = 10**7
"""Largest size in the sections of model and modalities; those named ``max_...`` may be larger."""
_AXES: Mapping[Layout, int] = {"vector": 1, "sequence": 2, "tokens": 1, "pixels": 3, "frames": 4}
_BYTES = {"float32": 4, "uint8": 1, "int32": 4}


class SpecDocument(StrictModel):
    """A feature spec as JSON."""

    kind: Kind
    layout: Layout
    shape: tuple[int, ...]
    dtype: str
    vocabulary: int = 0


class BundleDocument(StrictModel):
    """Everything in bundle.json."""

    format: int
    mmray: str
    config: dict[str, Any]
    specs: dict[str, SpecDocument]
    tasks: dict[str, dict[str, Any]]
    metrics: dict[str, Any]
    weights: tuple[float, ...] = ()
    """Of the models of an ensemble, the first of which is this one."""


def read_document(folder: Path) -> tuple[Config, dict[str, FeatureSpec], BundleDocument]:
    """Return the document, the specs in the order of the M axis, and all of bundle.json."""
    path = folder / DOCUMENT
    content = read_bounded(path, max_bytes=MAX_DOCUMENT_BYTES, error=BundleError)
    found = parse_json(content, what=DOCUMENT, where=str(path), error=BundleError)
    _check_format(found, path)
    try:
        document = BundleDocument.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the document"
        raise _broken(f"{key}: {first['msg']}", path) from None
    config = check_document(_complete(document.config), where=str(path))
    if list(document.specs) != list(config.modality_order()):
        raise _broken("'specs' names other modalities than the document, or in other order", path)
    if set(document.tasks) != set(config.tasks):
        raise _broken("'tasks' names other tasks than the document", path)
    specs = {
        name: _spec(name, spec, Kind(config.modalities[name].kind), path)
        for name, spec in document.specs.items()
    }
    _check_numbers(config, path)
    return config, specs, document


def _complete(config: dict[str, Any]) -> dict[str, Any]:
    """Return the document with settings that had another value before they could be set.

    It is not checked yet: its parts may be anything.
    """
    modalities = config.get("modalities")
    if not isinstance(modalities, dict):
        return config
    found = {n: _complete_modality(m) for n, m in cast("dict[str, Any]", modalities).items()}
    return config | {"modalities": found}


def _complete_modality(modality: Any) -> Any:  # noqa: ANN401 (of a document that anybody wrote)
    match modality:
        case {"encode": {"kind": "cnn", **others}} if "pool" not in others:
            return modality | {"encode": modality["encode"] | {"pool": "last"}}
        case _:
            return modality


def _check_format(found: object, path: Path) -> None:
    told = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    if not isinstance(told.get("format"), int):
        raise _broken("it has no 'format'", path)
    if told["format"] != FORMAT:
        raise BundleError(
            f"bundle format {told['format']} was written by mmray {told.get('mmray', '?')!s:.20}",
            where=str(path),
            hint=f"this is mmray {__version__}, which reads format {FORMAT}",
        )


def _spec(name: str, spec: SpecDocument, kind: Kind, path: Path) -> FeatureSpec:
    size = math.prod(spec.shape) * _BYTES.get(spec.dtype, 0)
    is_sound = spec.kind == kind and spec.dtype in _BYTES and len(spec.shape) == _AXES[spec.layout]
    if not is_sound or min(spec.shape) < 1 or spec.vocabulary < 0:
        raise _broken(f"specs.{name} is not a feature of kind {kind.value!r}", path)
    if size > MAX_FEATURE_BYTES or spec.vocabulary > MAX_NUMBER:
        raise BundleError(
            f"specs.{name}: a feature of {size:,} bytes and {spec.vocabulary:,} ids; the limits "
            f"are {MAX_FEATURE_BYTES:,} and {MAX_NUMBER:,}",
            where=str(path),
            hint="the bundle is damaged, or was made to exhaust memory",
        )
    values: dict[str, Any] = spec.model_dump()
    return FeatureSpec(**values)


def _check_numbers(config: Config, path: Path) -> None:
    sections = {"model": config.model.model_dump(mode="json")} | {
        f"modalities.{name}": modality.model_dump(mode="json")
        for name, modality in config.modalities.items()
    }
    for key, number in numbers_in(sections):
        last = key.rpartition(".")[2]
        if number > MAX_NUMBER and not last.startswith("max_"):
            raise BundleError(
                f"{key} is {number:,}, the limit in a bundle is {MAX_NUMBER:,}",
                where=str(path),
                hint="the bundle is damaged, or was made to exhaust memory",
            )


def _broken(problem: str, path: Path) -> BundleError:
    return BundleError(
        f"{DOCUMENT} is not what mmray writes: {problem}",
        where=str(path),
        hint="copy the bundle again, or write it again with 'mmray evaluate'",
    )
