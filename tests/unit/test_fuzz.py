"""A small share of ``python -m benchmarks.fuzz``."""

import os
import signal

import pytest

from benchmarks.fuzz.document import document_subject
from benchmarks.fuzz.manifest import manifest_subject
from benchmarks.fuzz.oddity import ODD, odd_text, odd_tree
from benchmarks.fuzz.subject import Subject, fuzz_subject
from mmray.errors import ConfigError


@pytest.mark.parametrize("subject", [document_subject, manifest_subject])
def test_damaged_inputs_are_used_or_refused_in_words(subject):
    found = fuzz_subject(subject(), range(24))

    assert found.faults == {}
    assert found.words["error"] > 5
    assert found.words.total() == 24


def fail(folder):
    """Do what an input may not lead to, by the seed."""
    match int((folder / "seed").read_text()):
        case -1:
            return 1
        case 0:
            raise ConfigError("refused")
        case 1:
            raise KeyError("a bug")
        case 2:
            os.kill(os.getpid(), signal.SIGKILL)
        case 3:
            while True:
                pass
    return 2


def write_seed(folder, seed):
    (folder / "seed").write_text(str(seed))
    return f"seed {seed}"


def test_tracebacks_crashes_hangs_and_other_results_are_found():
    subject = Subject("bad", write_seed, fail, lambda good, found: found == good, timeout_s=1.0)

    found = fuzz_subject(subject, range(5))

    assert found.words == {"error": 1, "traceback": 1, "crash": 1, "hang": 1, "different": 1}
    assert any("KeyError" in what and "seed 1" in where[0] for what, where in found.faults.items())


def test_odd_documents_are_the_same_every_time():
    tree = {"a": [1, {"b": "c"}], "d": None}

    assert repr(odd_tree(tree, 3)) == repr(odd_tree(tree, 3))
    assert odd_text("a: 1\nb: 2", 3) == odd_text("a: 1\nb: 2", 3)
    assert tree == {"a": [1, {"b": "c"}], "d": None}


def test_what_is_put_into_an_odd_document_is_not_shared_with_the_next():
    before = repr(ODD)

    for seed in range(300):
        odd_tree({"a": [1, {"b": "c"}], "d": None}, seed)

    assert repr(ODD) == before
