"""Which hooks are used, and that nothing else touches private parts of Ray."""

from pathlib import Path

import pytest
import ray

from mmray.distributed.ray_internals.hook import NEEDS, PLAIN, Hook, is_on, is_there, missing
from tests.support.private_use import private_module, private_uses

ROOT = Path(__file__).parents[4]
ROOM = ROOT / "mmray" / "distributed" / "ray_internals"


def test_the_switch_turns_off_all_hooks_or_those_that_it_names(monkeypatch):
    monkeypatch.setenv(PLAIN, "1")
    assert not any(is_on(hook) for hook in Hook)

    monkeypatch.setenv(PLAIN, "node, messages")
    named, lacking = {Hook.NODE, Hook.MESSAGES}, {hook for hook in Hook if missing(hook)}
    assert {hook for hook in Hook if not is_on(hook)} == named | lacking


def test_every_allowed_ray_has_what_hooks_for_safety_need_and_the_locked_one_all(monkeypatch):
    monkeypatch.delenv(PLAIN, raising=False)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    is_locked = f"ray=={ray.__version__}" in lock.splitlines()

    off = {hook for hook in Hook if not is_on(hook)}

    assert off <= (set() if is_locked else {Hook.DATA_NODES, Hook.DATA_LOCATIONS})


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("json:JSONDecoder.decode", True),
        ("json:JSONDecoder.decide", False),
        ("json:none.decode", False),
        ("json.none:decode", False),
    ],
)
def test_a_part_is_there_if_its_module_and_its_attribute_are(part, expected):
    assert is_there(part) is expected


def test_nothing_but_the_hooks_touches_private_parts_of_ray():
    files = [path for path in (ROOT / "mmray").rglob("*.py") if ROOM not in path.parents]

    assert {path.name: found for path in files if (found := private_uses(path, "ray"))} == {}


def test_a_use_of_a_private_part_is_found(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(
        "import ray.train\n"
        "from ray._private import worker\n"
        "from ray.train.v2._internal.execution import callback\n"
        "from ray.train.torch import TorchTrainer\n"
        "ray.init(_temp_dir='/tmp')\n"
        "ray._private.node.Node\n"
        "class Own(TorchTrainer):\n"
        "    def _register_sigint_handler(self): ...\n"
        "    def _of_ours(self): ...\n"
        "load('ray._raylet')\n"
        "own._private\n"
    )

    assert private_uses(path, "ray") == [2, 3, 5, 6, 8, 10]


BLOCK = """
import importlib, os, sys
import ray.data, ray.train.torch, ray.tune, torch
from mmray.distributed.ray_internals import hook
from mmray.distributed.ray_internals import train
from mmray.distributed.ray_internals import use

class Missing:
    def __init__(self, name):
        self.name = name
    def find_spec(self, name, path=None, target=None):
        if name == self.name or name.startswith(self.name + "."):
            raise ModuleNotFoundError(f"no module {name}", name=name)

def block(name):
    for each in [each for each in sys.modules if each == name or each.startswith(name + ".")]:
        del sys.modules[each]
    parent, _, child = name.rpartition(".")
    vars(sys.modules[parent]).pop(child, None)
    sys.meta_path.insert(0, Missing(name))

def check(name):
    before = {each for each in hook.Hook if not hook.is_on(each)}
    hook.missing.cache_clear()
    block(name)
    for part in ("extraction.extraction", "training.fitting", "search.searching", "node.session"):
        importlib.import_module(f"mmray.distributed.{part}")
    with use.lean_node(), use.lean_data():
        use.job_config(), use.log_messages()
    for is_local in (True, False):
        train.lean(ray.train.torch.TorchTrainer, is_local=is_local)
    off = {each for each in hook.Hook if not hook.is_on(each)}
    expected = {
        each for each, parts in hook.NEEDS.items()
        if any(part.split(":")[0].startswith(name) for part in parts)
    }
    assert off == expected | before and expected, (off, expected)

# First what Ray itself loads of them: without that there is no Ray.
for part in sum(hook.NEEDS.values(), ()):
    hook.is_there(part)
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        check(name)
        os._exit(0)
    print(name, os.waitpid(child, 0)[1])
"""


def test_mmray_works_without_any_private_module_of_ray():
    from tests.support.process import run_python

    modules = {part.split(":")[0] for parts in NEEDS.values() for part in parts}
    private = sorted(name for name in modules if private_module("ray").match(name))

    done = run_python("-c", BLOCK, *private)

    assert done.stdout.splitlines() == [f"{name} 0" for name in private], done.stderr[-3000:]
