import os
import signal
import time
from functools import partial
from hashlib import sha256

import pytest

from mmray.core.fingerprint import digest_bytes
from mmray.core.rejection import Rejection
from mmray.media.digested import Digested
from mmray.media.guard.channel import HALF_BYTES
from mmray.media.guard.guard import BATCH_PAYLOADS, FEW_PAYLOADS, GuardedDecoder
from mmray.media.source import PayloadReader, read_and_decode
from tests.support.decoder import decode, decode_and_take_over, decode_large
from tests.support.process import die_after


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


def test_children_that_take_turns_wait_while_their_answers_are_used():
    guarded = GuardedDecoder(decode, timeout_s=3.0, takes_turns=True)
    decoded, used = [], []
    for number in guarded.each([b"clock"] * 3 * FEW_PAYLOADS):
        decoded.append(number)
        sha256(bytes(10**6))  # what is done with an answer takes longer than to decode the next
        used.append(time.monotonic())

    assert decoded == sorted(decoded)
    assert decoded[FEW_PAYLOADS] > used[FEW_PAYLOADS - 1]
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


def test_references_are_read_where_they_are_decoded_and_keep_their_order(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("a", "crash", "reject"):
        (corpus / name).write_text(name)
    (tmp_path / "secret").write_text("secret")
    (corpus / "link").symlink_to(tmp_path / "secret")
    reader = PayloadReader((), str(corpus), max_bytes=10)
    guarded = GuardedDecoder(partial(read_and_decode, reader, decode), timeout_s=3.0)

    gone = Rejection("empty", "told before")
    entries = ["a", b"b", "none", gone, "link", "crash", "../secret", "reject", "a"]
    answers = list(guarded.each(entries))

    assert answers[-2].digest == digest_bytes(b"reject")
    answers[-2] = answers[-2].value
    reasons = [getattr(answer, "reason", answer) for answer in answers]
    assert reasons == [
        Digested(digest_bytes(b"a"), "A"), Digested(digest_bytes(b"b"), "B"),
        "not_found", "empty", "outside_corpus", "decode_crashed", "outside_corpus",
        "image_broken", Digested(digest_bytes(b"a"), "A"),
    ]  # fmt: skip
    guarded.close()


def ahead(size, count=200):
    """Return how many payloads were taken before an answer came, for each answer but the first."""
    guarded = GuardedDecoder(decode_large, timeout_s=3.0)
    taken = [0]

    def payloads():
        for _ in range(count):
            taken[0] += 1
            yield str(size).encode()

    found = [taken[0] - number for number, _ in enumerate(guarded.each(payloads()))]
    guarded.close()
    return found[2 * FEW_PAYLOADS : -2 * BATCH_PAYLOADS]


def test_as_many_payloads_are_sent_at_once_as_answers_fit_into_the_memory():
    assert max(ahead(HALF_BYTES // 2 - 1)) == 4  # two at work, and two that are handed out
    assert max(ahead(10)) == 2 * BATCH_PAYLOADS


@pytest.mark.parametrize("payload", [b"pickle", b"huge", b"many"])
def test_a_child_that_was_taken_over_runs_nothing_in_its_parent(payload, tmp_path, monkeypatch):
    monkeypatch.setenv("TRAP", str(tmp_path / "ran"))
    guarded = GuardedDecoder(decode_and_take_over, timeout_s=3.0)

    answers = list(guarded.each([b"a", payload, b"a"]))

    assert [getattr(answer, "reason", answer) for answer in answers] == ["A", "decode_crashed", "A"]
    assert not (tmp_path / "ran").exists()
    guarded.close()


def test_a_fork_gets_a_child_of_its_own_and_leaves_its_parents_alone(guarded):
    guarded(b"a")
    child = guarded.pid

    fork = os.fork()
    if fork == 0:
        die_after(20)
        os._exit(0 if guarded(b"b") == "B" and guarded.pid != child else 1)
    assert os.waitpid(fork, 0)[1] == 0
    assert guarded(b"a") == "A"
    assert guarded.pid == child
