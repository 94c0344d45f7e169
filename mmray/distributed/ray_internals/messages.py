"""What Ray's nodes report about their workers, as log lines."""

import logging
from collections.abc import Mapping
from typing import Any

from ray._private import worker

from mmray.core.text.printable import printable

logger = logging.getLogger(__name__)


def log_messages() -> None:
    """Send the reports to the log, fit for a terminal.

    Ray prints them to standard output as they are, with text from the workers in them.
    """
    worker.print_to_stdstream = _log


def _log(data: Mapping[str, Any], *_: object, **__: object) -> None:
    for line in data["lines"]:
        logger.debug("%s: %s", data["pid"], printable(line))
