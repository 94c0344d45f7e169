"""A command that is stopped: by which signal, and how often."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from mmray.core.process.stop import (
    SIGNALS,
    describe_stop,
    exit_code,
    is_stopping,
    kept_signals,
    resumable,
    stoppable,
)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_each_signal_raises_an_interrupt_and_has_its_exit_code(number, code):
    # A test run in the background of a script starts with these ignored.
    before = {each: signal.signal(each, signal.default_int_handler) for each in SIGNALS}
    try:
        with pytest.raises(KeyboardInterrupt), stoppable():
            signal.raise_signal(number)

        assert is_stopping()
        assert exit_code() == code
    finally:
        with stoppable():
            pass
        for each, meaning in before.items():
            signal.signal(each, meaning)


def test_what_others_make_of_a_signal_is_undone():
    before = signal.getsignal(signal.SIGTERM)

    with kept_signals():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    assert signal.getsignal(signal.SIGTERM) is before


def test_who_asks_again_does_not_wait_for_the_end():
    program = """
        import os, signal, time
        from mmray.core.process import stop
        stop.AGAIN_S = 0.0
        for each in stop.SIGNALS:
            signal.signal(each, signal.default_int_handler)
        try:
            with stop.stoppable():
                os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=dict(os.environ))

    assert done.returncode == 143


def stop_after_seven():
    with resumable():
        stop = KeyboardInterrupt()
        stop.add_note("after epoch 7")
        raise stop


def test_the_line_says_how_far_the_command_was():
    with pytest.raises(KeyboardInterrupt) as info:
        stop_after_seven()

    assert describe_stop(KeyboardInterrupt()) == "stopped"
    assert describe_stop(info.value) == "stopped after epoch 7; run the same command to resume"
