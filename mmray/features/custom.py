"""A user's own extractor, named as ``package.module:function``."""

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mmray.config.base import CustomConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.core.fingerprint import digest_file, fingerprint
from mmray.core.kind import Kind
from mmray.core.process.user_code import find_user_code, load_factory
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind

E = TypeVar("E", bound=CustomConfig)
INSTALLED = {"site-packages", "dist-packages"}
_HINT = "the factory must return an object with 'spec', 'decode(payload)' and 'extract(decoded)'"


def custom_extractor(config: type[E], kind: Kind, version: int) -> ExtractorKind[Any, E]:
    """Return the record of a user's own extractors of one kind of modality."""

    def build(modality: ModalityConfig, extract: E, state: Path | None) -> Extractor:
        return load_custom(extract.factory, extract.options, kind)

    def spec(modality: ModalityConfig, extract: E) -> FeatureSpec:
        return build(modality, extract, None).spec

    def identity(modality: ModalityConfig, extract: E, state: Path | None) -> dict[str, Any]:
        return {"code": custom_digest(extract.factory)}

    return ExtractorKind(
        config=config,
        version=version,
        spec=spec,
        build=build,
        identity=identity,
        may_leave_process=False,
    )


def load_custom(factory: str, options: Mapping[str, Any], kind: Kind) -> Extractor:
    """Call the factory with its options and check what it returns."""
    function = load_factory(factory)
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


def custom_code(factory: str) -> Path | None:
    """Return what to take along for a factory: its top-level package, or its file.

    None for what is installed: that is named by a requirement.
    """
    module = factory.partition(":")[0]
    file = _source(module)
    if file is None or INSTALLED & set(file.parts):
        return None
    in_package = "." in module or file.name == "__init__.py"
    return _root(file, module) if in_package else file


def custom_digest(factory: str) -> str:
    """Return a digest of the factory's code, so that editing it recomputes.

    That is the file that holds it, and the files that it imports, directly or through others, as
    far as they lie in the same top-level package; for a module in no package, in its folder. What
    is installed elsewhere, and files that the code opens, do not count: name a version among the
    factory's ``options`` for these.
    """
    module = factory.partition(":")[0]
    file = _source(module)
    if file is None:
        return ""
    if "." not in module and INSTALLED & set(file.parts) and file.name != "__init__.py":
        return digest_file(file)
    root = _root(file, module)
    found = _imported_files(module, file, root)
    return fingerprint([[str(each.relative_to(root)), digest_file(each)] for each in sorted(found)])


def _root(file: Path, module: str) -> Path:
    """Return the folder of the top-level package; of a module in no package, its own."""
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[max(0, depth - 1)]


def _imported_files(module: str, file: Path, root: Path) -> set[Path]:
    """Follow the imports of ``file`` as far as they stay under ``root``."""
    found: dict[Path, str] = {file: module}
    waiting = [file]
    while waiting:
        current = waiting.pop()
        for name in _imports(current, found[current]):
            other = _source(name)
            if other is not None and other.is_relative_to(root) and other not in found:
                found[other] = name
                waiting.append(other)
    return set(found)


def _imports(file: Path, module: str) -> Iterator[str]:
    """Yield the modules that a source file may import; a name in one of them is tried as well."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _source(module: str) -> Path | None:
    """Return the file of a module, if it is one."""
    find_user_code()
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    if found is None or not found.origin or not found.origin.endswith(".py"):
        return None
    return Path(found.origin)
