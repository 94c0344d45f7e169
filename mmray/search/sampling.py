"""Who draws the samples of a search."""

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

from mmray.config.training.search import SamplerName


def build_sampler(name: SamplerName, seed: int) -> BaseSampler:
    """Return Optuna's sampler; what it draws follows from the seed and the study."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match name:
            case "tpe":
                # A trial that runs counts as a bad one: the next is drawn elsewhere.
                return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
            case "gp":
                return GPSampler(seed=seed)
            case "cmaes":
                return CmaEsSampler(seed=seed, warn_independent_sampling=False)
            case "nsga2":
                return NSGAIISampler(seed=seed)
            case "random" | "grid":  # a grid draws nothing
                return RandomSampler(seed=seed)


def seed_of(seed: int, number: int) -> int:
    """Return the seed of one trial's draw: it does not depend on when a search was resumed."""
    return (seed * 1_000_003 + number) % 2**31
