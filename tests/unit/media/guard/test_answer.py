import pickle

import numpy as np
import pytest

from mmray.core.rejection import Rejection
from mmray.media.audio.segment import AudioClip
from mmray.media.guard.answer import WrongAnswer, from_message, to_message


def through(value):
    head, buffers = to_message([(False, value, False)])
    ((_, found, _),) = from_message(head, [bytearray(part) for part in buffers])
    return found


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
        np.linspace(-1, 1, 7, dtype=np.float32)[::2],
        np.zeros((0, 3), np.float32),
    ],
)
def test_an_array_arrives_with_its_values_and_may_be_written_to(array):
    found = through(array)

    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype
    assert found.flags.writeable


def test_a_clip_a_text_and_a_rejection_arrive_as_they_are():
    clip = through(AudioClip((np.ones(3, np.float32), np.zeros(2, np.float32))))
    rejection = through(Rejection("image_broken", "cut"))

    assert [segment.tolist() for segment in clip.segments] == [[1, 1, 1], [0, 0]]
    assert through("a lone \ud800") == "a lone \ud800"
    assert (rejection.reason, rejection.detail) == ("image_broken", "cut")


@pytest.mark.parametrize(
    ("head", "buffers"),
    [
        (pickle.dumps("what a child could have sent before"), []),
        (b'[[false,{"array":["|O",1]},false]]', [b"12345678"]),
        (b'[[false,{"array":["<f4",1000000000000]},false]]', [b"1234"]),
        (b'[[false,{"array":["<f4",-1]},false]]', [b"1234"]),
        (b'[[false,{"array":["<f4",1]},false]]', []),
        (b'[[false,{"object":"os:system"},false]]', []),
        (b"[" * 100_000, []),
        (b'[["too short"]]', []),
    ],
)
def test_nothing_but_numbers_and_text_is_believed(head, buffers):
    with pytest.raises(WrongAnswer):
        from_message(head, buffers)


def test_an_array_of_objects_cannot_be_answered():
    with pytest.raises(TypeError, match="array of object"):
        to_message([(False, np.array([{}]), False)])
