"""Which libraries compute the features of a modality, and in which versions they are installed."""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from mmray.config.modality.modality import ModalityConfig
from mmray.features.kinds import kind_of


def libraries_of(config: ModalityConfig) -> dict[str, str]:
    """Return name and version of what decodes and extracts, as far as it is installed."""
    kind = kind_of(config)
    names = {*kind.libraries, *kind.extractor(config).libraries}
    return {name: found for name in sorted(names) if (found := _version(name))}


@cache
def _version(name: str) -> str:
    if name == "python":
        return "{}.{}".format(*sys.version_info)
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
