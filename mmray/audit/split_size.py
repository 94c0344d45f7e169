"""Whether splits have the sizes asked for, and whether inputs and payloads give answers away."""

from collections.abc import Iterator

from mmray.config.document import Config
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest

OFF = 0.25
"""Of a split's size asked for."""


def uneven_splits(manifest: Manifest, config: Config) -> Iterator[str]:
    """Yield a sentence where a split is far from the size asked for."""
    split = config.data.split
    if split.column is not None:
        return
    asked = [round(share * len(manifest)) for share in (split.train, split.val, split.test)]
    sizes = [manifest.split_sizes()[name.value] for name in Split]
    if all(abs(n - wanted) <= max(1, OFF * wanted) for n, wanted in zip(sizes, asked, strict=True)):
        return
    why = "data.split.by is 'hash'" if split.by == "hash" else "classes are too small"
    if split.group is not None and split.by != "hash":
        why = f"the groups of {split.group!r} are too few or too large"
    yield f"the splits have {_joined(sizes)} samples where {_joined(asked)} were asked for: {why}"


def given_away(config: Config) -> Iterator[str]:
    """Yield label columns that are an input too."""
    for name, task in config.tasks.items():
        for modality, section in config.modalities.items():
            if task.column in section.columns:
                yield (
                    f"the column {task.column!r} holds the labels of {name!r} and is an input of "
                    f"{modality!r}: the model reads the answer"
                )


def _joined(sizes: list[int]) -> str:
    return "/".join(f"{size:,}" for size in sizes)
