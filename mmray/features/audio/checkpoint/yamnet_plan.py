"""How YAMNet cuts a segment into patches. Axes: S samples."""

HOP = 160
"""Samples between frames, at 16 kHz."""
PATCH, PATCH_HOP = 96, 48
"""Frames in a patch, and between the starts of two patches."""
SHORTEST = 400 + HOP * (PATCH - 1)
"""Samples of one patch; a shorter segment is padded with silence."""


def patches_of(samples: int) -> int:
    """Return how many complete patches a segment has, at least one."""
    return 1 + max(0, samples - SHORTEST) // (HOP * PATCH_HOP)
