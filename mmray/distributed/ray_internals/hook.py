"""The hooks into private parts of Ray: what each one needs, and whether it is on.

A hook is on if the installed Ray has every part that the hook needs. A hook that is off changes
nothing: mmray then uses Ray's public way. Only this package touches private parts.

``MMRAY_PLAIN_RAY=1`` turns all hooks off; a list of names, separated by commas, turns off those.
"""

import functools
import logging
import os
import pkgutil
from enum import StrEnum

logger = logging.getLogger(__name__)
PLAIN = "MMRAY_PLAIN_RAY"


class Hook(StrEnum):
    """A change to Ray that its public API does not offer."""

    NODE = "node"
    AGENT = "agent"
    TOKEN = "token"
    OWN_PATH = "own_path"
    MESSAGES = "messages"
    DATA_FIGURES = "data_figures"
    DATA_NODES = "data_nodes"
    DATA_LOCATIONS = "data_locations"
    TRAIN_DATASETS = "train_datasets"
    TRAIN_CLEANER = "train_cleaner"
    TRAIN_NODES = "train_nodes"


_NODE = "ray._private.node:Node"
_STATS = "ray.data._internal.stats:_StatsManager"
_AUTOSCALER = "ray.data._internal.cluster_autoscaler.rate_based_cluster_autoscaler"
_ACTOR_POOL = "ray.data._internal.execution.operators.actor_pool_map_operator"
_TRAINER = "ray.train.v2.api.data_parallel_trainer:DataParallelTrainer"
_POLICY = "ray.train.v2._internal.execution.scaling_policy:FixedScalingPolicy"

NEEDS: dict[Hook, tuple[str, ...]] = {
    Hook.NODE: (
        f"{_NODE}.start_api_server",
        f"{_NODE}.start_monitor",
        f"{_NODE}.start_log_monitor",
        "ray._private.parameter:RayParams",
        "ray._private.worker:global_worker",
    ),
    Hook.AGENT: (
        f"{_NODE}.start_raylet",
        "ray._private.utils:get_dashboard_dependency_error",
        "ray._private.services:_build_python_executable_command_memory_profileable",
    ),
    Hook.TOKEN: ("ray._raylet:Config.initialize",),
    Hook.OWN_PATH: ("ray.job_config:JobConfig._runtime_env_has_working_dir",),
    Hook.MESSAGES: ("ray._private.worker:print_to_stdstream",),
    Hook.DATA_FIGURES: (
        f"{_STATS}.update_execution_metrics",
        f"{_STATS}.update_iteration_metrics",
        f"{_STATS}.register_dataset_to_stats_actor",
        f"{_STATS}.gen_dataset_id_from_stats_actor",
    ),
    Hook.DATA_NODES: (f"{_AUTOSCALER}:DefaultAutoscalingCoordinator",),
    Hook.DATA_LOCATIONS: (
        f"{_ACTOR_POOL}:get_or_create_actor_location_tracker",
        f"{_ACTOR_POOL}:get_actor_locations",
    ),
    Hook.TRAIN_DATASETS: (f"{_TRAINER}._create_default_callbacks",),
    Hook.TRAIN_CLEANER: (f"{_TRAINER}._create_default_callbacks",),
    Hook.TRAIN_NODES: (
        f"{_TRAINER}._initialize_and_run_controller",
        f"{_POLICY}.after_controller_start",
        f"{_POLICY}._maybe_send_resource_request",
    ),
}
"""By hook, what it needs, as ``module:attribute``."""


def is_on(hook: Hook) -> bool:
    """Return whether a hook is used: it is not turned off, and this Ray has what it needs."""
    turned_off = {name.strip() for name in os.environ.get(PLAIN, "").split(",")}
    return not turned_off & {"1", hook.value} and not missing(hook)


@functools.cache
def missing(hook: Hook) -> tuple[str, ...]:
    """Return the parts that a hook needs and the installed Ray lacks."""
    found = tuple(part for part in NEEDS[hook] if not is_there(part))
    if found:
        logger.debug("hook %r is off: this Ray has no %s", hook.value, ", ".join(found))
    return found


def plain_environment() -> dict[str, str]:
    """Return what passes the switch on to processes on other machines."""
    return {PLAIN: os.environ[PLAIN]} if PLAIN in os.environ else {}


def is_there(part: str) -> bool:
    """Return whether the installed libraries have ``module:attribute``."""
    try:
        pkgutil.resolve_name(part)
    except (ImportError, AttributeError):
        return False
    return True
