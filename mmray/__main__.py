"""``python -m mmray``."""

from mmray.cli import main

main()
