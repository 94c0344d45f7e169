"""Which samples a search tries: its space as Tune's distributions, and who draws from them."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ray import tune
from ray.tune.search import ConcurrencyLimiter, SearchAlgorithm, Searcher
from ray.tune.search.basic_variant import BasicVariantGenerator

from mmray.config.training.search import SearchConfig
from mmray.config.training.space import (
    ChoiceSpace,
    IntSpace,
    LogUniformSpace,
    SpaceConfig,
    UniformSpace,
)

Sample = Mapping[str, Any]


def to_domain(space: SpaceConfig) -> Any:  # noqa: ANN401 (Tune's own domains)
    """Return Tune's distribution; of named sections, the name is what is sampled."""
    match space:
        case UniformSpace(uniform=(low, high)):
            return tune.uniform(low, high)
        case LogUniformSpace(loguniform=(low, high)):
            return tune.loguniform(low, high)
        case IntSpace(int=(low, high)):
            return tune.randint(low, high + 1)
        case ChoiceSpace(choice=options):
            return tune.choice(list(options))


def build_sampler(
    search: SearchConfig, concurrent: int, tried: Sequence[Sample]
) -> Searcher | SearchAlgorithm:
    """Return what draws the samples, and holds back those that have no room yet.

    ``tried`` are the samples of the same search before it was stopped, in their order: they come
    first, so that every trial has the number that it had.
    """
    # Tune passes a limit of its own neither on to this sampler nor says that it does not.
    if search.sampler == "random":
        return BasicVariantGenerator(max_concurrent=concurrent, random_state=search.seed)
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna")
    # With the same seed, what is drawn after them would be what was drawn first.
    sampler = OptunaSearch(
        seed=search.seed + len(tried), points_to_evaluate=[dict(sample) for sample in tried]
    )
    return ConcurrencyLimiter(sampler, max_concurrent=concurrent)
