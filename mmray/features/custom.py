"""A user's own extractor, named as ``package.module:function``."""

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmray.core.fingerprint import digest_file
from mmray.core.spec import FeatureSpec
from mmray.core.word import Kind
from mmray.errors import ConfigError
from mmray.features.extractor import Extractor

_HINT = "the factory must return an object with 'spec', 'decode(payload)' and 'extract(decoded)'"


def load_custom(factory: str, options: Mapping[str, Any], kind: Kind) -> Extractor:
    """Call the factory with its options and check what it returns."""
    module_name, _, name = factory.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"cannot load the factory {factory!r}: {error}",
            hint="the module must be importable on every machine (PYTHONPATH, or installed)",
        ) from None
    try:
        extractor = function(**options)
    except TypeError as error:
        raise ConfigError(
            f"the factory {factory!r} cannot be called with {dict(options)}: {error}",
            hint="the keys of 'options' are the factory's keyword arguments",
        ) from error
    spec = getattr(extractor, "spec", None)
    has_methods = all(callable(getattr(extractor, key, None)) for key in ("decode", "extract"))
    if not isinstance(spec, FeatureSpec) or not has_methods:
        raise ConfigError(f"{factory!r} returned {type(extractor).__name__}", hint=_HINT)
    if spec.kind != kind:
        raise ConfigError(
            f"{factory!r} makes features of kind {spec.kind.value!r} in a modality of kind"
            f" {kind.value!r}",
            hint="give the spec the modality's kind",
        )
    return extractor


def custom_digest(factory: str) -> str:
    """Return a digest of the file that holds the factory, so that editing it recomputes."""
    try:
        found = importlib.util.find_spec(factory.partition(":")[0])
    except ImportError:
        found = None
    if found is None or not found.origin or not Path(found.origin).is_file():
        return ""
    return digest_file(Path(found.origin))
