"""Sizes for people."""


def human_bytes(size: float) -> str:
    """Return a size for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
