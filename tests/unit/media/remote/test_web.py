import gzip
import time

import pytest
from aiohttp.abc import AbstractResolver

from mmray.core.rejection import Rejection
from mmray.media.remote.address import HostGuard
from mmray.media.remote.remote import version_of
from mmray.media.remote.web import WebClient
from mmray.media.source import PayloadReader
from tests.support.web import headed, redirect, serve, status


@pytest.fixture
def web():
    with serve({"/in/a.txt": b"hello", "/secret": b"secret", "/in/empty": b""}) as server:
        yield server


def rejection_of(roots, uri, *, folder="/corpus", max_bytes=100, max_read_s=10.0):
    with pytest.raises(Rejection) as rejection:
        PayloadReader(roots, folder, max_bytes, max_read_s).read(uri)
    return rejection.value


def reason(*args, **settings):
    return rejection_of(*args, **settings).reason


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


# --- what is read -----------------------------------------------------------------------------


def test_a_payload_is_read_under_a_prefix_that_is_listed(web):
    reader = PayloadReader((f"{web.uri}/in/",), "/corpus", 100)

    assert reader.read(f"{web.uri}/in/a.txt") == b"hello"
    assert web.asked == ["GET /in/a.txt"]


@pytest.mark.parametrize("name", ["my cat.txt", "a#b.txt", "猫.txt", "50%25.txt"])
def test_a_relative_name_beside_a_manifest_on_the_web_is_read_whatever_letters_it_has(web, name):
    written = {"my cat.txt": "my%20cat.txt", "a#b.txt": "a%23b.txt", "猫.txt": "%E7%8C%AB.txt"}
    web.answers[f"/in/{written.get(name, name)}"] = b"meow"

    assert PayloadReader((f"{web.uri}/",), f"{web.uri}/in", 100).read(name) == b"meow"


def test_what_a_server_says_becomes_a_reason(web):
    web.answers |= {"/in/403": status(403), "/in/410": status(410)}
    roots = (f"{web.uri}/in/",)

    assert reason(roots, f"{web.uri}/in/none") == "not_found"
    assert reason(roots, f"{web.uri}/in/410") == "not_found"
    assert reason(roots, f"{web.uri}/in/403") == "unreadable"
    assert reason(roots, f"{web.uri}/in/empty") == "empty"


def test_a_server_that_is_busy_is_asked_again(web):
    answers = [status(503), status(429), headed(b"hello", Content_Length="5")]
    web.answers["/in/busy"] = lambda handler: answers.pop(0)(handler)

    assert PayloadReader((f"{web.uri}/",), "/corpus", 100).read(f"{web.uri}/in/busy") == b"hello"
    assert len(web.asked) == 3


def test_a_server_that_is_away_is_unreachable():
    with serve({}) as web:
        away = web.uri

    assert reason((f"{away}/",), f"{away}/a.txt") == "unreachable"


def test_a_payload_that_breaks_off_is_not_taken_for_whole(web):
    web.answers["/in/short"] = headed(b"hel", Content_Length="5", Connection="close")

    assert reason((f"{web.uri}/",), f"{web.uri}/in/short") == "unreachable"


# --- caps -------------------------------------------------------------------------------------


def test_a_payload_over_the_limit_is_rejected_whatever_length_is_told(web):
    web.answers |= {
        "/in/told": headed(b"x" * 200, Content_Length="200"),
        "/in/untold": headed(b"x" * 200, Connection="close"),
        "/in/lie": headed(b"x", Content_Length="99999999999"),
    }

    for name in ("told", "untold", "lie"):
        assert reason((f"{web.uri}/",), f"{web.uri}/in/{name}") == "too_large"


def test_an_endless_payload_costs_no_more_than_the_limit(web):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    web.answers["/in/endless"] = endless

    assert reason((f"{web.uri}/",), f"{web.uri}/in/endless", max_bytes=10**6) == "too_large"


def test_a_compressed_answer_is_refused_and_not_unpacked(web):
    bomb = gzip.compress(bytes(10**6))
    web.answers["/in/bomb"] = headed(bomb, Content_Encoding="gzip", Content_Length=str(len(bomb)))

    found = rejection_of((f"{web.uri}/",), f"{web.uri}/in/bomb", max_bytes=10**7)

    assert found.reason == "unreadable"
    assert "compressed" in found.detail


def test_a_server_that_sends_drop_by_drop_is_left_in_time(web):
    web.answers["/in/slow"] = drip
    started = time.monotonic()

    assert (
        reason((f"{web.uri}/",), f"{web.uri}/in/slow", max_bytes=2000, max_read_s=0.5)
        == "read_timeout"
    )
    assert time.monotonic() - started < 3


# --- hosts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("roots", [("http://",), ("http://", "https://"), ("http://127.0.0.1:1/",)])
def test_a_broad_prefix_does_not_open_a_private_host(web, roots):
    assert reason(roots, f"{web.uri}/in/a.txt") == "outside_corpus"
    assert web.asked == []


def test_a_manifest_on_a_private_host_opens_nothing_by_itself(web):
    assert reason((), "a.txt", folder=f"{web.uri}/in") == "outside_corpus"
    assert web.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost",
     "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0", "[64:ff9b::7f00:1]", "①②⑦.0.0.1"],
)  # fmt: skip
def test_this_machine_is_refused_by_whatever_name_it_goes(web, host):
    assert reason(("http://",), f"http://{host}:{web.port}/in/a.txt") == "outside_corpus"
    assert web.asked == []


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fc00::1]",
     "[fe80::1]", "[fd00:ec2::254]", "[2002:a00:1::]", "224.0.0.1"],
)  # fmt: skip
def test_private_and_link_local_addresses_are_refused_before_any_connection(host):
    found = rejection_of(("http://",), f"http://{host}/latest/meta-data/", max_read_s=0.5)

    assert found.reason == "outside_corpus"
    assert "is the private address" in found.detail


def test_localhost_is_read_where_it_is_listed(web):
    uri = f"http://localhost:{web.port}"

    assert PayloadReader((f"{uri}/in",), "/corpus", 100).read(f"{uri}/in/a.txt") == b"hello"


class Names(AbstractResolver):
    """A name server whose answers change, as one does that wants to lead us inside."""

    def __init__(self, *addresses):
        self.addresses = list(addresses)

    async def resolve(self, host, port=0, family=0):
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [{"hostname": host, "host": address, "port": port, "family": 2, "proto": 0,
                 "flags": 0}]  # fmt: skip

    async def close(self):
        pass


def fetch(roots, uri, names):
    client = WebClient(HostGuard("/corpus", roots), names)
    return client.read(uri, start=None, size=100, max_s=5)


def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_connected_to(web):
    uri = f"http://pets.example:{web.port}"

    with pytest.raises(Rejection, match="outside_corpus") as rejection:
        fetch((f"{uri}/",), f"{uri}/in/a.txt", Names("127.0.0.1"))

    assert f"'data.allow' would have to list http://127.0.0.1:{web.port}/" in str(rejection.value)
    assert web.asked == []


def test_a_name_of_a_private_address_is_read_where_that_address_is_listed_too(web):
    uri = f"http://pets.example:{web.port}"

    assert fetch((uri, web.uri), f"{uri}/in/a.txt", Names("127.0.0.1")) == b"hello"
    with pytest.raises(Rejection, match="outside_corpus"):
        fetch((uri, f"{web.uri}/other/"), f"{uri}/in/a.txt", Names("127.0.0.1"))


def test_a_name_that_changes_its_address_between_two_payloads_is_caught(web):
    uri = f"http://localhost:{web.port}"
    web.answers["/in/again"] = headed(b"hello", Content_Length="5", Connection="close")
    client = WebClient(HostGuard("/corpus", (uri,)), Names("127.0.0.1", "10.0.0.1"))

    assert client.read(f"{uri}/in/again", start=None, size=100, max_s=5) == b"hello"
    client = WebClient(HostGuard("/corpus", (uri,)), Names("10.0.0.1"))
    with pytest.raises(Rejection, match=r"localhost leads to the private address 10\.0\.0\.1"):
        client.read(f"{uri}/in/again", start=None, size=100, max_s=5)


# --- redirects --------------------------------------------------------------------------------


def test_a_redirect_is_followed_within_the_prefix(web):
    web.answers |= {"/in/old": redirect("new", 301), "/in/new": redirect("/in/a.txt", 307)}

    assert PayloadReader((f"{web.uri}/in/",), "/c", 100).read(f"{web.uri}/in/old") == b"hello"


@pytest.mark.parametrize(
    "target",
    ["/secret", "../secret", "/in/../secret", "/in/%2e%2e/secret", "//127.0.0.1:{port}/secret",
     "http://localhost:{port}/in/a.txt", "http://user:word@127.0.0.1:{port}/in/a.txt",
     "http://169.254.169.254/latest/", "file:///etc/passwd", "ftp://127.0.0.1/in/a.txt"],
)  # fmt: skip
def test_a_redirect_out_of_the_prefix_is_not_followed(web, target):
    web.answers["/in/jump"] = redirect(target.format(port=web.port))

    assert reason((f"{web.uri}/in/",), f"{web.uri}/in/jump") == "outside_corpus"
    assert web.asked == ["GET /in/jump"]


def test_redirects_in_a_circle_end(web):
    web.answers["/in/loop"] = redirect("loop")

    assert reason((f"{web.uri}/in/",), f"{web.uri}/in/loop") == "unreadable"
    assert len(web.asked) == 6


# --- versions ---------------------------------------------------------------------------------


def test_the_version_follows_the_content_and_costs_no_download(web):
    guard = HostGuard("/corpus", (web.uri,))
    before = version_of(f"{web.uri}/in/a.txt", guard, max_s=5)

    web.answers["/in/a.txt"] = b"other"

    assert version_of(f"{web.uri}/in/a.txt", guard, max_s=5) != before
    assert web.asked == ["HEAD /in/a.txt"] * 2


def test_without_an_etag_the_version_is_date_and_size(web):
    date = "Wed, 01 May 2024 10:00:00 GMT"
    web.answers["/in/dated"] = headed(b"", Last_Modified=date, Content_Length="7")
    guard = HostGuard("/corpus", (web.uri,))

    assert version_of(f"{web.uri}/in/dated", guard, max_s=5) == f"{date}|7"
