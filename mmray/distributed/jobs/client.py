"""The door to a cluster's jobs: Ray's client for them, at the address that was asked for."""

import contextlib
import os
import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ray.exceptions import AuthenticationError

from mmray.core.text.printable import printable
from mmray.core.text.secret import masked
from mmray.distributed.jobs.cluster_token import TOKEN_HOSTS, auth_headers, read_token
from mmray.errors import ClusterError, ConfigError

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

TIMEOUT_S = 30.0
"""Longest wait for an answer."""
MAX_VERSION_BYTES = 2**16
VERSION = re.compile(rb'"ray_version":\s*"\d+\.[\w.+-]+"')
MAX_TOLD = 300
OVERRIDES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
"""Variables with which Ray's client replaces the address that it is given."""


def open_client(address: str) -> "JobSubmissionClient":
    """Return a client of the cluster whose dashboard is at ``address``.

    Raises:
        ClusterError: nothing answers there, what answers is not Ray, or it wants another token.
    """
    if not address.startswith(("http://", "https://")):
        raise ConfigError(
            f"the address {printable(masked(address))!r} is not that of a dashboard",
            where="--address",
            hint="e.g. --address http://127.0.0.1:8265",
        )
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError as error:
        raise ClusterError(
            f"jobs need ray[default]: {error}", hint="pip install 'mmray[cluster]'"
        ) from error
    # Ray adds the token by itself where there is no such header, wherever the request goes.
    headers = {"Authorization": ""} | auth_headers(address)
    with answers(address), _only_this_address():
        _check_is_ray(address, headers)
        return JobSubmissionClient(address, headers=headers)


@contextlib.contextmanager
def answers(address: str) -> Generator[None]:
    """Turn whatever goes wrong between here and the cluster into a ClusterError."""
    import aiohttp
    import requests

    try:
        yield
    except AuthenticationError:
        raise _token_error(address) from None
    except (ConnectionError, requests.ConnectionError, requests.Timeout, TimeoutError) as error:
        raise ClusterError(
            f"no cluster answers there ({type(error).__name__})",
            where=masked(address),
            hint="start one with 'ray start --head'; the address is its dashboard's",
        ) from error
    except (RuntimeError, OSError, aiohttp.ClientError) as error:
        raise ClusterError(
            f"the cluster refused: {shown(error)}",
            where=masked(address),
            hint="'ray status' on the head, and 'mmray jobs', show its state",
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise _not_ray(address, shown(error)) from error


def shown(error: Exception) -> str:
    """Return the first line of what an error says, fit for a terminal."""
    text = str(error).strip() or type(error).__name__
    return printable(masked(text.splitlines()[0][:MAX_TOLD]))


def _check_is_ray(address: str, headers: dict[str, str]) -> None:
    """Ask for Ray's version, within limits: any server may be at the address."""
    import requests

    url = f"{address.rstrip('/')}/api/version"
    with requests.get(url, headers=headers, timeout=TIMEOUT_S, stream=True) as response:
        if response.status_code in (401, 403):
            raise _token_error(address)
        body = next(response.iter_content(MAX_VERSION_BYTES), b"")
        if response.status_code != 200:
            raise _not_ray(address, f"status {response.status_code}")
    if not VERSION.search(body):
        raise _not_ray(address, "no version of Ray in its answer")


def _not_ray(address: str, why: str) -> ClusterError:
    return ClusterError(
        f"what answers there is not Ray's dashboard ({why})",
        where=masked(address),
        hint="give the address that 'ray start --head' or 'ray dashboard' prints",
    )


def _token_error(address: str) -> ClusterError:
    if read_token() and not auth_headers(address):
        return ClusterError(
            "the cluster requires a token, which is not sent in clear over a network",
            where=masked(address),
            hint="use a tunnel ('ray dashboard cluster.yaml') or https://, or name the host in "
            f"{TOKEN_HOSTS}",
        )
    return ClusterError(
        "the cluster requires a token, and this machine's is absent or different",
        where=masked(address),
        hint="copy the head's ~/.ray/auth_token here, or set RAY_AUTH_TOKEN",
    )


@contextlib.contextmanager
def _only_this_address() -> Generator[None]:
    taken = {name: os.environ.pop(name) for name in OVERRIDES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


def metadata_of(job: Any) -> dict[str, str]:  # noqa: ANN401 (Ray's JobDetails)
    """Return what was stored with a job when it was submitted."""
    return dict(job.metadata or {})
