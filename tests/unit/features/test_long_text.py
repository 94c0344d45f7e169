import os
import time
from functools import partial

import pytest

from mmray.core.rejection import Rejection
from mmray.features.payloads.decoding import LONG_BYTES, LongTextDecoder
from mmray.media.text.decode import Cleaning, read_text


def decode_slowly(payload):
    time.sleep(payload.count(b"z") * 60)
    return str(os.getpid())


def test_a_long_text_that_takes_too_long_is_rejected_and_the_next_is_read():
    decode = LongTextDecoder(decode_slowly, timeout_s=2.0)

    with pytest.raises(Rejection, match="decode_timeout"):
        decode(b"z" * (LONG_BYTES + 1))

    assert decode(b"a" * (LONG_BYTES + 1)) != str(os.getpid())
    assert decode(b"a" * LONG_BYTES) == str(os.getpid())


def test_long_and_short_texts_are_cleaned_alike():
    decode = LongTextDecoder(partial(read_text, cleaning=Cleaning()), timeout_s=20.0)

    assert decode(b"<p>A  Cat</p>") == "a cat"
    assert decode(b"<p>A  Cat</p>" * 5000) == " ".join(["a cat"] * 5000)
