"""Where real corpora are, for tests that are skipped where they are absent."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("MMRAY_CORPORA", ROOT.parent / "shared" / "data"))
