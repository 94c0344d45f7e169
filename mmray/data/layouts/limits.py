"""Limits of what a manifest may hold; docs/reference/limits.md states them."""

MAX_COLUMNS = 50_000
MAX_CELL_CHARS = 1_000_000
"""Most characters of a cell of CSV."""
MAX_LINE_BYTES = 64 * 2**20
"""Most bytes of a line of JSON: a row may hold a payload as text."""
MAX_METADATA_BYTES = 16 * 2**20
"""Most bytes of a JSON file that describes a data set."""
MAX_UNPACKED_RATIO = 200
"""How much larger than its file a table may be in memory, once it is ``MAX_UNPACKED_BYTES``."""
MAX_UNPACKED_BYTES = 2**30
MAX_CELLS = 2**22
"""Most bytes of the rows in memory."""
