"""Code that a document names, and the consent to run it."""

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import BaseModel

from mmray.config.base import CustomConfig
from mmray.config.document import Config
from mmray.errors import BundleError


def custom_parts(config: Config) -> dict[str, str]:
    """Return the factories that a document names, by the dotted key of their section."""
    return dict(_factories(config, ""))


def require_trust(config: Config, *, trust: bool, where: str) -> None:
    """Refuse a bundle whose document names code, unless the caller trusts it."""
    parts = custom_parts(config)
    if not parts or trust:
        return
    named = ", ".join(f"{factory!r} ({key})" for key, factory in parts.items())
    raise BundleError(
        f"loading this bundle would import and run {named}",
        where=where,
        hint="read that code; if you trust the bundle: mmray.load(folder, trust=True), "
        "'mmray predict --trust', or MMRAY_TRUST=1 where MLflow serves it",
    )


def _factories(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, CustomConfig):
        yield key, value.factory
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for name, part in cast("Mapping[str, object]", value).items():
            yield from _factories(part, f"{key}.{name}" if key else name)
    elif isinstance(value, list | tuple):
        for index, part in enumerate(cast("tuple[object, ...]", value)):
            yield from _factories(part, f"{key}.{index}")
