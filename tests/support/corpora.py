"""Where real corpora lie, for tests that use them."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("MMRAY_CORPORA", ROOT.parent / "shared" / "data"))
