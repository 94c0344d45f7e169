"""``python -m mmray``."""

import sys

# That puts the working folder first: a file there would take the place of the library it is named
# like. Where mmray itself is found there, it is found behind the libraries as well.
if not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))

from mmray.cli.app import main

main()
