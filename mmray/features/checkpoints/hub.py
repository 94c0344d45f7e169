"""The Hugging Face hub: asked once and briefly, so that a network that is away costs seconds."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mmray.errors import ConfigError

MAX_WAIT_S = 10.0
_CLIENTS = ("httpx", "httpx2")
"""Libraries by which versions of huggingface_hub ask; their errors have no base of its own."""


def find_on_hub(model: str, name: str) -> Path | None:
    """Return one file of a checkpoint from the local cache, else from the hub; None if it has none.

    Raises:
        ConfigError: the hub cannot be reached, or knows no such checkpoint.
    """
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import RemoteEntryNotFoundError

    with _explained(model, name):
        cached = try_to_load_from_cache(model, name)
        if isinstance(cached, str):
            return Path(cached)
        if cached is not None:  # known not to be there
            return None
        try:
            # A download asks six times, with pauses; so it is not tried where no server answers.
            get_hf_file_metadata(hf_hub_url(model, name), timeout=MAX_WAIT_S)
            return Path(hf_hub_download(model, name))
        except RemoteEntryNotFoundError:
            return None


@contextmanager
def _explained(model: str, name: str) -> Generator[None]:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    where = f"{constants.ENDPOINT}/{model}"
    try:
        yield
    except (HfHubHTTPError, HFValidationError) as error:
        raise ConfigError(
            f"cannot get {name} of checkpoint {model!r}: {_first_line(error)}",
            where=where,
            hint="check the name, or download the checkpoint and give its local folder",
        ) from None
    except Exception as error:
        is_away = isinstance(error, OSError) or type(error).__module__.startswith(_CLIENTS)
        if not is_away:
            raise
        raise ConfigError(
            f"checkpoint {model!r} is neither a local folder nor in the local cache, and the "
            f"Hugging Face hub cannot be reached: {_first_line(error)}",
            where=where,
            hint="give a local folder that holds the checkpoint, or check the network and "
            "whether HF_HUB_OFFLINE is set",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0]
