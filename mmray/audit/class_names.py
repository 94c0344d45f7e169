"""Suspicious classes: near-duplicates, typos, or words for a missing label."""

import unicodedata
from collections.abc import Iterator, Mapping

from mmray.core.text.nearest import listed, nearest, shortened

NOTHING = {"nan", "none", "null", "na", "n/a", "#n/a", "<na>", "nat", "?", "-"}
SIGNS = frozenset(".,;:_-'\"()")
"""Characters that do not distinguish two classes."""
RARE = 2
"""A class of this many samples or fewer may be a typo of a ..."""
COMMON = 10
"""... class that is this many times commoner."""
MIN_CHARS = 4
MOST_LOOKED_AT = 50
CUTOFF = 0.75


def odd_names(name: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield oddities in the class names of a task; ``counts`` has the samples of each."""
    twins = list(_twins(counts))
    if twins:
        yield f"{name}: classes with nearly equal names count as different: {listed(twins)}"
    typos = list(_typos(counts))
    if typos:
        yield f"{name}: classes that may be mistyped: {listed(typos)}"
    nothing = [f"{one!r} ({n:,})" for one, n in counts.items() if one.casefold() in NOTHING]
    if nothing:
        yield (
            f"{name}: a class is named {listed(nothing)}; leave the cell empty where a label is "
            "unknown"
        )


def _twins(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield names that differ only in case, white space, punctuation or width."""
    alike: dict[str, list[str]] = {}
    for one in counts:
        alike.setdefault(_bare(one), []).append(one)
    for names in alike.values():
        if len(names) > 1:
            yield " and ".join(f"{shortened(one)!r} ({counts[one]:,})" for one in names[:3])


def _bare(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(one for one in folded if unicodedata.category(one) != "Cf")
    if any(character.isdigit() for character in seen):
        return " ".join(seen.split())  # signs and blanks tell numbers apart
    return "".join(one for one in seen if one not in SIGNS and not one.isspace()) or name


def _typos(counts: Mapping[str, int]) -> Iterator[str]:
    words = {one: n for one, n in counts.items() if _is_word(one)}
    rare = [one for one, n in words.items() if n <= RARE and len(one) >= MIN_CHARS]
    for one in rare[:MOST_LOOKED_AT]:
        commoner = [other for other, n in words.items() if n >= COMMON * counts[one]]
        close = nearest(one, commoner, cutoff=CUTOFF)
        if close and _bare(close) != _bare(one):
            yield (
                f"{shortened(one)!r} ({counts[one]:,}) for {shortened(close)!r} ({counts[close]:,})"
            )


def _is_word(name: str) -> bool:
    return not any(character.isdigit() for character in name)
