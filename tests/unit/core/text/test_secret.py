import pytest

from mmray.core.text.secret import masked, masked_document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ann:hush@host:5000/x", "http://***@host:5000/x"),
        ("http://ann:pa@ss@host/x", "http://***@host/x"),
        ("postgresql+psycopg2://ann:hush@db/ml", "postgresql+psycopg2://***@db/ml"),
        ("see https://token@host, please", "see https://***@host, please"),
        (
            "s3://b/k?X-Amz-Credential=AKIA%2F1&X-Amz-Date=1&X-Amz-Signature=abc",
            "s3://b/k?X-Amz-Credential=***&X-Amz-Date=1&X-Amz-Signature=***",
        ),
        ("https://x.net/a.png?sv=1&sig=ab%2B&se=2", "https://x.net/a.png?sv=1&sig=***&se=2"),
        ("https://x.net/a?access_token=abc#frag", "https://x.net/a?access_token=***#frag"),
        ("sent 'Authorization: Bearer abcdefgh12'", "sent 'Authorization: Bearer ***'"),
    ],
)
def test_a_secret_of_a_uri_is_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://host/a?page=2&keyword=cat",
        "ann@host.org wrote to bob@host.org",
        "a basic model",
        "photos/a1.jpg?token=1",
        "s3://bucket/folder@2/a.png",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert masked(text) == text


def test_every_string_of_a_document_is_masked():
    document = {"uri": "http://a:b@h/", "n": 3, "list": [None, {"http://a:b@h/": True}]}

    expected = {"uri": "http://***@h/", "n": 3, "list": [None, {"http://***@h/": True}]}
    assert masked_document(document) == expected
