"""What may answer at the address of a cluster."""

import pytest

from mmray.distributed.jobs.client import open_client
from mmray.errors import ClusterError, ConfigError
from tests.support.web import headed, serve, status

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def token(monkeypatch):
    pytest.importorskip("aiohttp")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)


@pytest.mark.parametrize(
    "answer",
    [
        status(404),
        status(500),
        b"<html>a router</html>",
        b"{}",
        b'{"ray_version": ' + b"[" * 50_000,
        b'{"ray_version": "newest"}',
        b'{"ray_version": null}',
        b'["ray_version"]',
        b"\x1b[31m\xff",
    ],
    ids=range(9),
)
def test_a_server_that_is_not_ray_is_an_error_that_says_so(answer):
    with serve({"/api/version": answer}) as web, pytest.raises(ClusterError) as raised:
        open_client(web.uri)

    assert "is not Ray's dashboard" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_a_server_that_does_not_finish_its_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("mmray.distributed.jobs.client.TIMEOUT_S", 0.3)
    endless = headed(b'{"ray_version"')  # without a length, on a connection that stays open
    with serve({"/api/version": endless}) as web, pytest.raises(ClusterError) as raised:
        open_client(web.uri)

    assert "no cluster answers" in str(raised.value)


@pytest.mark.parametrize("code", [401, 403])
def test_a_cluster_that_wants_another_token_is_an_error_that_says_so(code):
    with serve({"/api/version": status(code)}) as web, pytest.raises(ClusterError) as raised:
        open_client(web.uri)

    assert "requires a token" in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_an_address_of_another_scheme_would_import_a_module_and_is_refused():
    with pytest.raises(ConfigError, match="not that of a dashboard"):
        open_client("antigravity://127.0.0.1")


def test_the_environment_cannot_send_the_token_elsewhere(monkeypatch):
    version = b'{"ray_version": "2.60.0"}'
    with serve({"/api/version": version}) as web, serve({"/api/version": version}) as other:
        monkeypatch.setenv("RAY_ADDRESS", other.uri)
        monkeypatch.setenv("RAY_API_SERVER_ADDRESS", other.uri)

        client = open_client(web.uri)

    assert client.get_address() == web.uri
    assert other.asked == []
