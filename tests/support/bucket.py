"""A real S3 server in this process, with one bucket."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BUCKET = "pets"


@contextmanager
def serve_bucket() -> Iterator[Any]:
    """Yield a filesystem that may write, while the environment leads S3 to our server."""
    pytest.importorskip("moto")
    s3fs = pytest.importorskip("s3fs")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with environment(
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
        AWS_ACCESS_KEY_ID="reader",
        AWS_SECRET_ACCESS_KEY="word",
        AWS_DEFAULT_REGION="us-east-1",
    ):
        filesystem = s3fs.S3FileSystem(use_listings_cache=False)
        filesystem.mkdir(BUCKET)
        yield filesystem
    server.stop()


@contextmanager
def environment(**values: str | None) -> Iterator[None]:
    """Set variables, or unset those that are None; open S3 connections are forgotten."""
    import s3fs

    before = {name: os.environ.get(name) for name in values}
    _apply(values)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        yield
    finally:
        _apply(before)
        s3fs.S3FileSystem.clear_instance_cache()


def _apply(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
