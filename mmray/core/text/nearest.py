"""Names in errors: the nearest known one, and lists that fit on a screen."""

import difflib
from collections.abc import Collection, Sequence
from itertools import islice

MAX_NAMES = 5000
MAX_CHARS = 80
MAX_LISTED = 20


def nearest(name: str, names: Collection[str], *, cutoff: float = 0.6) -> str | None:
    """Return the most similar name, or None.

    Long names and long lists are compared in part, so the time is bounded.
    """
    short = {one[:MAX_CHARS]: one for one in islice(names, MAX_NAMES)}
    found = difflib.get_close_matches(name[:MAX_CHARS], list(short), n=1, cutoff=cutoff)
    return short[found[0]] if found else None


def did_you_mean(name: str, names: Sequence[str], there: str = "there are") -> str:
    """Return a hint: the nearest name, else the list of all.

    >>> did_you_mean("imgae", ["text", "image"])
    "did you mean 'image'?"
    """
    close = nearest(name, names)
    return f"did you mean {shortened(close)!r}?" if close else f"{there}: {listed(names)}"


def listed(names: Collection[str], *, between: str = ", ", limit: int = MAX_LISTED) -> str:
    """Return names in a row; of many, the first ones and the number of others."""
    shown = between.join(shortened(name) for name in islice(names, limit))
    rest = len(names) - limit
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def shortened(name: str) -> str:
    """Return a name that fits on a line."""
    return name if len(name) <= MAX_CHARS else f"{name[: MAX_CHARS - 3]}..."
