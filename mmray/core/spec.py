"""Declared shapes of features. Axes: T time, F feature, H W image."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from mmray.core.kind import Kind

Layout = Literal["vector", "sequence", "tokens", "pixels", "frames"]


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Shape and type of one modality's features.

    ``shape`` is ``(F,)`` for a vector, ``(T, F)`` for a sequence of at most T steps, ``(T,)`` for
    at most T token ids, ``(H, W, 3)`` for pixels, ``(T, H, W, 3)`` for at most T frames.
    """

    kind: Kind
    layout: Layout
    shape: tuple[int, ...]
    dtype: Literal["float32", "uint8", "int32"]
    vocabulary: int = 0
    """Tokens only: ids lie in [0, vocabulary) and 0 pads."""

    @property
    def is_ragged(self) -> bool:
        """Whether the length of the first axis depends on the payload, up to ``shape[0]``."""
        return self.layout in ("sequence", "tokens", "frames")

    def holds(self, other: "FeatureSpec") -> bool:
        """Return whether features of ``other`` are features of this: it may have fewer ids.

        >>> from mmray.core.kind import Kind
        >>> declared = FeatureSpec(Kind.TEXT, "tokens", (48,), "int32", vocabulary=8000)
        >>> declared.holds(replace(declared, vocabulary=96))
        True
        """
        fewer_ids = other.vocabulary <= self.vocabulary
        return fewer_ids and self == replace(other, vocabulary=self.vocabulary)

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain JSON types."""
        return asdict(self) | {"shape": list(self.shape)}

    def describe(self) -> str:
        """Return the spec for people, for example ``sequence (T<=512, F=128)``.

        >>> from mmray.core.kind import Kind
        >>> FeatureSpec(Kind.AUDIO, "sequence", (512, 128), "float32").describe()
        'sequence (T<=512, F=128)'
        """
        match self.layout:
            case "vector":
                return f"vector ({self.shape[0]})"
            case "sequence":
                return f"sequence (T<={self.shape[0]}, F={self.shape[1]})"
            case "tokens":
                return f"tokens (T<={self.shape[0]}) of {self.vocabulary}"
            case "pixels":
                return f"pixels ({', '.join(map(str, self.shape))})"
            case "frames":
                return f"frames (T<={', '.join(map(str, self.shape))})"


def spec_from_dict(document: dict[str, Any]) -> FeatureSpec:
    """Read back what ``to_dict`` wrote."""
    values: dict[str, Any] = document | {
        "kind": Kind(document["kind"]),
        "shape": tuple(document["shape"]),
    }
    return FeatureSpec(**values)
