"""Simple regret over the trials of a search, against random search, on a surrogate of real trials.

    python -m benchmarks.search_regret [FILE] [--json] [--rounds 20] [--samplers tpe]

FILE holds trials of the embedded corpus that were drawn at random and trained for real
(``benchmarks.search_regret.collect``). A random forest that is fitted on them predicts what a
sample would reach; how well it does so is printed first, by cross-validation. The sampler of
``mmray search`` and random search then draw trials one after the other, each answered by the
forest. Simple regret is how far the best trial so far is from the best known value, in points of
accuracy. Both ways are repeated with seeds of their own; intervals are 95 % over the repeats.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import optuna
from scipy.stats import spearmanr, t
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from benchmarks.report import hardware
from benchmarks.search_regret.collect import DOCUMENT, TRIALS, load_trials
from mmray.config.document import Config
from mmray.config.reading.load import load_config
from mmray.config.training.search import SamplerName
from mmray.config.training.space import ChoiceSpace, LogUniformSpace, SpaceConfig
from mmray.search.record import Sample
from mmray.search.sample import params_of
from mmray.search.sampling import build_sampler, seed_of
from mmray.search.space import options_of, parameters, suggest

SHOWN = (6, 12, 24, 48, 96)
"""Numbers of trials at which regret is printed."""
DRAWN = 5_000
"""Random samples among which the best known value is looked for, besides all trials."""
FOLDS, TREES = 10, 100
INACTIVE = -1.0
"""In place of a number that is in no branch of the sample."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Predicts the accuracy of a sample."""

    space: Mapping[str, SpaceConfig]
    forest: RandomForestRegressor
    r2: float
    """Of predictions for trials that the forest has not seen."""
    rank_correlation: float

    def __call__(self, samples: Sequence[Sample]) -> np.ndarray:
        """Return the predicted accuracies (N)."""
        return self.forest.predict(np.stack([encoded(each, self.space) for each in samples]))


def encoded(sample: Sample, space: Mapping[str, SpaceConfig]) -> np.ndarray:
    """Return a sample as numbers (F): a flag per option, a logarithm where it is drawn so."""
    numbers: list[float] = []
    for name, distribution in parameters(space).items():
        value = sample.get(name)
        match distribution:
            case ChoiceSpace():
                numbers += [float(value == option) for option in options_of(distribution)]
            case LogUniformSpace():
                numbers.append(INACTIVE if value is None else float(np.log10(value)))
            case _:
                numbers.append(INACTIVE if value is None else float(value))
    return np.array(numbers)


def fit_surrogate(trials: Sequence[Mapping[str, Any]], config: Config) -> Surrogate:
    """Fit the forest on stored trials, and measure it by cross-validation."""
    space = config.search_section().space
    document = params_of(config, space)
    features = np.stack([encoded(trial["sample"] or document, space) for trial in trials])
    values = np.array([trial["value"] for trial in trials])
    forest = RandomForestRegressor(TREES, min_samples_leaf=2, max_features=0.5, random_state=0)
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    unseen = cross_val_predict(forest, features, values, cv=folds)
    return Surrogate(
        space=space,
        forest=forest.fit(features, values),
        r2=float(r2_score(values, unseen)),
        rank_correlation=float(spearmanr(values, unseen).statistic),
    )


def search(surrogate: Surrogate, sampler: SamplerName, seed: int, trials: int) -> np.ndarray:
    """Draw trials one after the other; return the best value after each of them (trials)."""
    study = optuna.create_study(direction="maximize")
    values: list[float] = []
    for number in range(1, trials + 1):
        study.sampler = build_sampler(sampler, seed_of(seed, number))
        trial = study.ask()
        values.append(float(surrogate([suggest(trial, surrogate.space)])[0]))
        study.tell(trial, values[-1])
    return np.maximum.accumulate(values)


def best_of_random(surrogate: Surrogate) -> float:
    """Return the best value among many random samples."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    samples = [suggest(study.ask(), surrogate.space) for _ in range(DRAWN)]
    return float(surrogate(samples).max())


def measure(surrogate: Surrogate, options: argparse.Namespace) -> dict[str, np.ndarray]:
    """Return the regret of each sampler in points (rounds, trials)."""
    names: list[SamplerName] = [*options.samplers, "random"]
    found = {
        name: np.stack(
            [search(surrogate, name, seed, options.trials) for seed in range(options.rounds)]
        )
        for name in names
    }
    best = max(best_of_random(surrogate), *(float(each.max()) for each in found.values()))
    return {name: 100 * (best - each) for name, each in found.items()}


def mean_and_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval over the repeats."""
    mean, error = statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5
    width = float(t.ppf(0.975, len(values) - 1)) * error
    return mean, mean - width, mean + width


def tabled(regret: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return a row per number of trials: each way's regret, and by how much random is worse."""
    rows: list[dict[str, Any]] = []
    trials = regret["random"].shape[1]
    for number in (each for each in SHOWN if each <= trials):
        row: dict[str, Any] = {"trials": number}
        for name, values in regret.items():
            row[name] = mean_and_interval(values[:, number - 1].tolist())
            if name != "random":
                less = regret["random"][:, number - 1] - values[:, number - 1]
                row[f"random - {name}"] = mean_and_interval(less.tolist())
                row[f"random as good as {name} after"] = caught_up(regret, name, number)
        rows.append(row)
    return rows


def caught_up(regret: Mapping[str, np.ndarray], name: str, number: int) -> int | None:
    """Return after how many trials random search has the mean regret of ``number`` trials."""
    reached = regret["random"].mean(axis=0) <= regret[name][:, number - 1].mean()
    return int(np.argmax(reached)) + 1 if reached.any() else None


def main() -> None:
    """Measure and print the table."""
    options = parse_options()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = load_trials(options.file)
    surrogate = fit_surrogate(trials, load_config(DOCUMENT, []))
    values = [trial["value"] for trial in trials]
    about = {
        "trials": len(trials),
        "seconds": round(sum(trial["seconds"] for trial in trials)),
        "lowest, median, highest": [min(values), statistics.median(values), max(values)],
        "r2": round(surrogate.r2, 3),
        "rank_correlation": round(surrogate.rank_correlation, 3),
    }
    if not options.json:
        print(f"surrogate: {json.dumps(about)}", flush=True)
    rows = tabled(measure(surrogate, options))
    if options.json:
        settings = {"rounds": options.rounds, "samplers": options.samplers}
        document = {"name": "search_regret", "surrogate": about, "regret": rows}
        print(json.dumps(document | {"settings": settings, "hardware": hardware()}, indent=2))
        return
    for row in rows:
        print(", ".join(f"{key} {shown(value)}" for key, value in row.items()))


def shown(value: object) -> str:
    """Return a number, or a mean with its interval."""
    if isinstance(value, tuple):
        mean, low, high = value
        return f"{mean:.2f} [{low:.2f}, {high:.2f}]"
    return "later" if value is None else str(value)


def parse_options() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=TRIALS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=max(SHOWN))
    parser.add_argument("--samplers", nargs="+", default=["tpe"], choices=[*get_args(SamplerName)])
    return parser.parse_args()


if __name__ == "__main__":
    main()
