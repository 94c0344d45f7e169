import pickle

from mmray.core.kind import Kind
from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import extract_batch
from mmray.features.image.pixels import PixelsExtractor
from mmray.media.audio.decode import AudioSteps, decode_audio
from mmray.media.image.decode import decode_image


def test_the_same_broken_payload_gives_the_same_words():
    def reject():
        try:
            decode_audio(b"no sound", AudioSteps())
        except Rejection as rejection:
            return rejection.reason, rejection.detail

    detail = "an unknown format, or a broken header (InvalidDataError)"
    assert reject() == reject() == ("audio_unrecognised", detail)


def test_a_rejection_survives_the_way_between_processes():
    rejection = pickle.loads(pickle.dumps(Rejection("image_broken", "a <x.Y object at 0x7f0> b")))

    assert (rejection.reason, rejection.detail) == ("image_broken", "a payload b")


def test_a_rejection_that_comes_in_goes_out_as_it_was():
    spec = FeatureSpec(Kind.IMAGE, "pixels", (8, 8, 3), "uint8")
    batch = extract_batch(PixelsExtractor(spec, decode_image), [Rejection("empty", "a.jpg")])

    assert (batch.reasons, batch.details) == (["empty"], ["a.jpg"])
