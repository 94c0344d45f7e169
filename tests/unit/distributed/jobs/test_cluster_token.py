"""To whom the cluster's token goes, and who may read its file."""

import stat

import pytest

from mmray.distributed.jobs.cluster_token import (
    auth_headers,
    local_token,
    may_have_token,
    read_token,
)

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def token(tmp_path, monkeypatch):
    path = tmp_path / "auth_token"
    path.write_text(TOKEN)
    path.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("MMRAY_TOKEN_HOSTS", raising=False)
    return path


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8265", "http://localhost:8265", "http://[::1]:8265", "https://ray.org"],
)
def test_the_token_goes_to_this_machine_and_through_tls(address):
    assert auth_headers(address) == {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1:8265",
        "http://ray.org",
        "http://localhost.ray.org:8265",
        "http://127.0.0.1@ray.org:8265",
        "http://127.0.0.1.ray.org",
        "http://[::1",
    ],
)
def test_the_token_goes_to_no_other_host_in_clear(address, caplog):
    assert auth_headers(address) == {}
    assert "the token is not sent" in caplog.text
    assert TOKEN not in caplog.text


def test_a_host_that_is_named_gets_it_and_no_other():
    named = {"MMRAY_TOKEN_HOSTS": "head.lan, 10.0.0.1"}

    assert may_have_token("http://HEAD.lan:8265", named)
    assert may_have_token("http://10.0.0.1:8265", named)
    assert not may_have_token("http://10.0.0.2:8265", named)
    assert not may_have_token("http://10.0.0.2:8265", {"MMRAY_TOKEN_HOSTS": ""})


def test_the_file_is_closed_to_others_when_it_is_read(token):
    assert read_token() == TOKEN
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_a_local_node_gets_a_token_that_no_file_holds(token, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")

    first, second = local_token(), local_token()

    assert first == second  # Ray keeps the first one that it reads
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    assert TOKEN not in first.values()


def test_a_token_that_the_environment_names_is_kept():
    assert local_token() == {}
