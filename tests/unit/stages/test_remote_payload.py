"""Payloads on a server that change behind their URIs."""

import pytest

from tests.support.extraction import Corpus, notes
from tests.support.payload import photo_payload
from tests.support.web import serve

PIXELS = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}
NAMES = [f"/in/{number}.png" for number in range(10)]


@pytest.fixture
def web():
    photos = {name: photo_payload(16, 12, seed=n) for n, name in enumerate(NAMES)}
    with serve(photos) as web:
        yield web


@pytest.fixture
def corpus(tmp_path, web):
    corpus = Corpus(tmp_path, notes(10, photo=lambda n: web.uri + NAMES[n]), image=PIXELS)
    corpus.data = {"allow": [web.uri]}
    corpus.extract()
    web.asked.clear()
    return corpus


def test_what_changed_behind_its_uri_is_computed_again(corpus, web):
    web.answers[NAMES[3]] = photo_payload(16, 12, seed=77)

    assert corpus.extract()[1] == {"image": ["s3"]}


def test_what_did_not_change_costs_a_request_and_is_not_read(corpus, web):
    assert corpus.extract()[1] == {}
    assert sorted(web.asked) == [f"HEAD {name}" for name in NAMES]


def test_later_stages_ask_no_server(corpus, web):
    assert list(corpus.folders()) == ["image"]
    assert web.asked == []


def test_without_versions_no_server_is_asked(corpus, web):
    corpus.data |= {"remote_version": "none"}
    corpus.extract()
    web.asked.clear()

    assert corpus.extract()[1] == {}
    assert web.asked == []
