"""What runs on a local Ray node."""

import ast
import subprocess

import pytest

from mmray.distributed.ray_internals.hook import Hook, missing
from tests.support.process import run_python

pytestmark = pytest.mark.ray
INSIDE = {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
LIST = """
import os, pathlib, threading
import psutil, ray, ray.data, ray.train
from mmray.config.document import LocalRuntime
from mmray.distributed.node.session import connect
from mmray.distributed.ray_internals.use import lean_data
from mmray.distributed.ray_internals.train import build_trainer

connect(LocalRuntime(cpus=2))
assert ray.get(ray.remote(lambda: 7).remote()) == 7
import_it = ray.remote(lambda: __import__("tokenizers").__file__)
print("tokenizers:", ray.get(import_it.remote()))
node = ray._private.worker._global_node
print("session:", oct(pathlib.Path(node.get_session_dir_path()).parent.parent.stat().st_mode))
print("environment:", "RAY_AUTH_TOKEN" in os.environ)

def listening():
    mine = [psutil.Process(), *psutil.Process().children(recursive=True)]
    found = [each for process in mine for each in process.net_connections("tcp")]
    return sorted({each.laddr.ip for each in found if each.status == "LISTEN"})

for child in psutil.Process().children(recursive=True):
    print(*child.cmdline())
print("node:", listening())

class Double:
    def __call__(self, batch):
        return {"id": 2 * batch["id"]}

def doubled():
    numbers = ray.data.range(9, override_num_blocks=3)
    pool = ray.data.ActorPoolStrategy(size=1)
    rows = numbers.map_batches(Double, compute=pool, num_cpus=0.5).take_all()
    return sorted(row["id"] for row in rows)

def actors():
    return sorted(each["name"] for each in ray.util.list_named_actors(all_namespaces=True))

with lean_data():
    print("in the block:", doubled(), actors())
print("after it:", doubled(), actors())

here = pathlib.Path.cwd() / "here"

def meet():
    import torch.distributed
    torch.distributed.barrier()
    mine = psutil.Process().net_connections("tcp")
    found = sorted({each.laddr.ip for each in mine if each.status == "LISTEN"})
    world, rank = torch.distributed.get_world_size(), torch.distributed.get_rank()
    here.with_name(f"worker{rank}").write_text(repr({"found": found, "world": world}))

from mmray.distributed.training.loopback_torch import LoopbackTorchConfig
trainer = build_trainer(
    meet,
    given=None,
    scaling=ray.train.ScalingConfig(num_workers=2, resources_per_worker={"CPU": 0.5}),
    run=ray.train.RunConfig(storage_path=str(pathlib.Path.cwd())),
    backend=LoopbackTorchConfig(),
)
trainer.fit()
print("workers:", [here.with_name(f"worker{rank}").read_text() for rank in range(2)])
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """In a folder with a file of the user's that is named like a library."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "tokenizers.py").write_text("raise ImportError('not the library')")
    return run_python("-c", LIST, cwd=folder)


def test_a_local_node_works_without_the_processes_that_serve_others(done):
    assert done.returncode == 0, done.stderr
    assert "/raylet " in done.stdout
    assert "monitor.py" not in done.stdout  # nor log_monitor.py
    assert "dashboard.py" not in done.stdout


def test_a_file_in_the_working_folder_takes_no_library_s_place_in_a_worker(done):
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("tokenizers: "))

    assert "site-packages" in line


def test_ray_data_works_on_it_without_actors_of_its_own(done):
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if "it: " in line)
    block = next(line for line in done.stdout.splitlines() if line.startswith("in the block"))

    serving = {
        Hook.DATA_LOCATIONS: "ActorLocationTracker",
        Hook.DATA_NODES: "AutoscalingCoordinator",
    }
    left = [name for hook, name in serving.items() if missing(hook)]  # none with the locked Ray
    assert block == f"in the block: [0, 2, 4, 6, 8, 10, 12, 14, 16] {left}"
    assert lines["after it"].startswith("[0, 2, 4, 6, 8, 10, 12, 14, 16] ['ActorLocationTracker'")


def test_it_listens_on_loopback_alone_and_its_files_are_the_user_s_alone(done):
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)

    assert set(ast.literal_eval(lines["node"])) <= INSIDE
    assert lines["session"] == "0o40700"
    assert lines["environment"] == "False"  # the token went to Ray's processes alone


def test_workers_that_meet_do_so_without_a_store_that_listens_to_the_network(done):
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    met = [ast.literal_eval(each) for each in ast.literal_eval(lines["workers"])]

    assert [each["world"] for each in met] == [2, 2]
    assert {ip for each in met for ip in each["found"]} <= INSIDE


def test_the_nodes_of_others_are_ray_s_own(cluster):
    from ray._private import node, utils

    assert node.Node.__module__ == node.__name__
    assert utils.get_dashboard_dependency_error.__module__ == utils.__name__
