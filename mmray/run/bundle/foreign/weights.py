"""The weights of a bundle: of the shapes that the document asks for, and finite.

Memory is counted before it is taken: a model that asks for far more weights than its file has is
not built.
"""

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmray.errors import BundleError

_AGAIN = "copy the bundle again, or write it again with 'mmray evaluate'"
_HUGE = "the bundle is damaged, or was made to exhaust memory"
_COUNTS = ("layers", "experts")
_MAKING = frozenset((
    torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.eye,
    torch.arange, torch.linspace,
))  # fmt: skip
SMALL = 2 * 10**7
"""Weights of a network that may always be built; 80 MB."""
Shapes = dict[str, tuple[int, ...]]


def read_shapes(path: Path) -> Shapes:
    """Return the shape of each tensor of a safetensors file, from its header alone."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def check_counts(section: object, shapes: Shapes, where: str, key: str = "") -> None:
    """Refuse more layers or experts than there are tensors: building them takes time and memory.

    ``section`` is a part of the document as plain JSON.
    """
    if isinstance(section, dict):
        for name, part in cast("dict[str, object]", section).items():
            check_counts(part, shapes, where, f"{key}.{name}" if key else name)
        return
    count = len(cast("list[object]", section)) if isinstance(section, list) else 0
    if key.rpartition(".")[2] in _COUNTS and isinstance(section, int):
        count = section
    if count > len(shapes):
        raise BundleError(
            f"{key} asks for {count:,} layers, but the bundle has {len(shapes):,} tensors",
            where=where,
            hint=_HUGE,
        )


@contextmanager
def bounded(held: int, *, spare: int, where: str) -> Generator[None]:
    """Let modules be built in this block that have at most ``spare`` times ``held`` weights.

    A network that is no larger than ``SMALL`` is built in any case.
    """
    with _Bounded(max(SMALL, spare * held), held, where):
        yield


class _Bounded(TorchFunctionMode):
    """Counts requested weights, and refuses before torch allocates them."""

    def __init__(self, most: int, held: int, where: str) -> None:
        super().__init__()
        self._left, self._held, self._where = most, held, where

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 (torch's own signature)
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Call the function if its result fits."""
        if func in _MAKING:
            self._left -= _asked_for(args, kwargs or {})
            if self._left < 0:
                raise BundleError(
                    f"this bundle asks for many times the {self._held:,} weights that it holds",
                    where=self._where,
                    hint=_HUGE,
                )
        return func(*args, **(kwargs or {}))


def _asked_for(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Return the size of the result of ``torch.zeros(*args, **kwargs)`` and similar calls."""
    size = kwargs.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
    return math.prod(max(int(n), 1) for n in size if isinstance(n, int | float))


def check_shapes(model: nn.Module, shapes: Shapes, path: Path) -> None:
    """Refuse weights that are not those of the model."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name, shape in wanted.items():
        if name not in shapes:
            raise _unlike(f"there is no tensor {name!r}", path)
        if shapes[name] != shape:
            raise _unlike(f"{name!r} is {list(shapes[name])}, not {list(shape)}", path)
    for name in shapes.keys() - wanted.keys():
        raise _unlike(f"no part of the model has a tensor {name!r}", path)


def load_weights(model: nn.Module, path: Path) -> None:
    """Load the weights of a file into a model; wrong or infinite ones are a BundleError."""
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    check_finite(weights, path)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise _unlike(str(error).strip().splitlines()[-1].strip(), path) from None


def check_finite(weights: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights of which one is infinite or not a number."""
    for name, tensor in weights.items():
        # The extremes are not finite where any weight is not; a mask of all takes 30 times as long.
        if tensor.is_floating_point() and tensor.numel() and not _is_finite(tensor):
            raise BundleError(
                f"the weights {name!r} are not finite",
                where=str(path),
                hint="the training diverged, or the file was changed; train again",
            )


def _is_finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(torch.stack(list(tensor.aminmax()))).all())


def _unlike(problem: str, path: Path) -> BundleError:
    return BundleError(
        f"the weights are not those of the document's model: {problem}",
        where=str(path),
        hint=_AGAIN,
    )


def _unreadable(path: Path, error: Exception) -> BundleError:
    told = str(error).strip().splitlines()[0][:200]
    return BundleError(f"{path.name} cannot be read: {told}", where=str(path), hint=_AGAIN)
