import os
import signal

import pytest

from mmray.core.rejection import Rejection
from mmray.media.guard import GuardedDecoder
from tests.support.decoder import decode


@pytest.fixture
def guarded():
    decoder = GuardedDecoder(decode, timeout_s=3.0)
    yield decoder
    decoder.close()


def outcome(decoder, payload):
    try:
        return decoder(payload)
    except Rejection as rejection:
        return rejection.reason, rejection.detail


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"crash", ("decode_crashed", "ended by SIGSEGV")),
        (b"leave", ("decode_crashed", "exit status 3")),
        (b"eat", ("decode_memory", "")),
        (b"reject", ("image_broken", "as told")),
    ],
)
def test_a_payload_that_ends_its_decoder_costs_itself_alone(guarded, payload, expected):
    assert [outcome(guarded, p) for p in (b"a", payload, b"b")] == ["A", expected, "B"]


@pytest.mark.parametrize(
    ("payload", "reason"), [(b"eat", "decode_memory"), (b"keep", "image_too_large")]
)
def test_a_child_that_is_out_of_memory_is_replaced_before_the_next_payload(payload, reason):
    guarded = GuardedDecoder(decode, timeout_s=3.0, max_memory_bytes=2**29)
    before = guarded(b"pid")

    answers = list(guarded.each([b"pid", payload, b"pid", b"a"]))
    after = guarded(b"pid")

    assert answers[0] == before
    assert answers[1].reason == reason
    assert answers[2] == after != before
    assert answers[3] == "A"
    guarded.close()


def test_a_rejection_alone_replaces_no_child(guarded):
    one, rejection, other = guarded.each([b"pid", b"reject", b"pid"])

    assert rejection.reason == "image_broken"
    assert one == other


def test_a_decoder_that_hangs_is_ended_and_replaced():
    guarded = GuardedDecoder(decode, timeout_s=0.5)

    assert outcome(guarded, b"hang") == ("decode_timeout", "took more than 0.5 s")
    assert guarded(b"b") == "B"
    guarded.close()


def test_a_bug_in_a_decoder_is_raised_with_its_traceback(guarded):
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'") as caught:
        guarded(b"bug")

    assert "decoder.py" in caught.value.__notes__[0]


def test_a_child_that_cannot_start_is_no_fault_of_the_payload(tmp_path, monkeypatch, capfd):
    (tmp_path / "gone.py").write_text("def decode(payload):\n    return payload\n")
    monkeypatch.syspath_prepend(tmp_path)
    from gone import decode as decode_of_a_file_that_goes

    guarded = GuardedDecoder(decode_of_a_file_that_goes, timeout_s=3.0)
    (tmp_path / "gone.py").unlink()

    with pytest.raises(RuntimeError, match="no process to decode in: exit status 1"):
        guarded(b"a")
    assert "No module named 'gone'" in capfd.readouterr().err


def test_a_child_that_is_killed_before_it_is_ready_is_started_again(guarded):
    guarded.start()
    os.kill(guarded.pid, signal.SIGKILL)

    assert guarded(b"a") == "A"


def test_no_child_outlives_its_decoder(guarded):
    guarded(b"a")
    child = guarded.pid

    guarded.close()

    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
