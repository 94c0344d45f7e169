"""Ray Data on a local node, without three actors that serve a cluster.

One collects figures for a dashboard, one divides the nodes among datasets and requests more nodes,
one records which node each actor is on. Each is a process that imports Ray Data and then wakes a
hundred times a second. The second one is asked whenever Ray Data looks for work to hand out.

Ray Data also checks ten times a second for finished tasks, at a cost of milliseconds, and its
consumer polls a hundred times a second. Here both poll about once in the time of a task: an actor
always has one more task waiting.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from importlib import import_module

import ray

from mmray.distributed.ray_internals.hook import NEEDS, Hook, is_on
from mmray.distributed.ray_internals.replacing import replaced

SHORTEST_S, LONGEST_S = 0.05, 0.2
"""Between two polls."""


class OneNode:
    """Gives all that the nodes have to every dataset; there can be no more nodes.

    Only for one dataset at a time: each one counts on everything.
    """

    def __init__(self, *_: object, **__: object) -> None:
        alive = [node for node in ray.nodes() if node["Alive"]]
        self._resources = {node["NodeID"]: dict(node["Resources"]) for node in alive}

    def request_resources(self, *_: object, **__: object) -> None:
        """Ignore the request."""

    def cancel_request(self) -> None:
        """Ignore the end of a request."""

    def get_reserved_resources(self) -> dict[str, dict[str, float]]:
        """Return what every node has, by the node's id."""
        return self._resources


class NoTracker:
    """Replaces the handle of the actor that records the locations of the others."""

    class Method:
        """A method of the handle."""

        def remote(self, *_: object) -> None:
            """Record nothing."""

    update_actor_location = Method()


class Pace:
    """How often Ray Data polls; takes the place of the module ``time`` where it sleeps."""

    def __init__(self) -> None:
        self._seconds = SHORTEST_S
        timeout, sleep = NEEDS[Hook.DATA_PACE]
        module, _, self._timeout = timeout.partition(":")
        self._executor = import_module(module)
        self.replaced = [(timeout, SHORTEST_S), (sleep.removesuffix(".sleep"), self)]

    def follow(self, seconds: float) -> None:
        """Poll about once in the time that a task takes."""
        self._seconds = min(max(seconds, SHORTEST_S), LONGEST_S)
        setattr(self._executor, self._timeout, self._seconds)

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``, and no less than until the next poll."""
        time.sleep(max(seconds, self._seconds))


@contextlib.contextmanager
def lean_data() -> Generator[Callable[[float], None]]:
    """Let Ray Data work in the block without what the hooks replace.

    Yields a function that takes how many seconds a task takes.
    """
    with contextlib.ExitStack() as stack:
        for hook, values in _VALUES.items():
            if is_on(hook):
                for part, value in zip(NEEDS[hook], values, strict=True):
                    stack.enter_context(replaced(part, value))
        if not is_on(Hook.DATA_PACE):
            yield ignore
            return
        pace = Pace()
        for part, value in pace.replaced:
            stack.enter_context(replaced(part, value))
        yield pace.follow


def ignore(*_: object, **__: object) -> None:
    """Keep no figures, or no pace."""


def _no_locations(_: tuple[str, ...]) -> dict[str, str]:
    """Return nothing: Ray Data then takes an actor to be where it was when it started."""
    return {}


def _new_id() -> str:
    return uuid.uuid4().hex


_VALUES: dict[Hook, Sequence[object]] = {
    Hook.DATA_FIGURES: (
        *(staticmethod(ignore) for _ in range(3)),
        staticmethod(_new_id),
    ),
    Hook.DATA_NODES: (OneNode,),
    Hook.DATA_LOCATIONS: (NoTracker, _no_locations),
}
"""By hook, what takes the place of each part that it needs."""
