"""Whether stored features are intact and match what training expects."""

import time
from dataclasses import asdict

from mmray.config.document import Config
from mmray.core.file.atomic import read_success
from mmray.core.report import Report
from mmray.core.spec import spec_from_dict
from mmray.errors import ExtractionError
from mmray.features.store.verify import Problem, verify_folder
from mmray.inspection.features.target import find_targets
from mmray.stages.extraction.target import FeatureTarget, is_up_to_date

PROBLEMS = ExtractionError.exit_code


def verify_features(config: Config) -> Report:
    """Read all stored features of the document and list the problems."""
    started = time.monotonic()
    problems: list[Problem] = []
    lines: list[str] = []
    for name, target in find_targets(config).items():
        found, samples = _verify(config, target)
        problems += found
        state = f"{len(found)} problems" if found else "no problems"
        marker = read_success(target.folder) if target.folder else None
        if marker and not is_up_to_date(config, target, marker):
            state += "; 'mmray extract CONFIG --plan' lists what has changed since"
        lines.append(f"{name}: {samples} samples, {state}")
        for problem in found:
            lines += [f"  {problem.path}: {problem.what}", f"    {problem.hint}"]
    return Report(
        stage="features verify",
        fingerprint="",
        folder=config.workspace,
        seconds=round(time.monotonic() - started, 2),
        counts={"problems": [asdict(problem) for problem in problems]},
        found=tuple(lines),
    )


def _verify(config: Config, target: FeatureTarget) -> tuple[list[Problem], int]:
    marker = read_success(target.folder) if target.folder else None
    if target.folder is None or marker is None:
        where = str(target.folder or config.workspace)
        return [Problem(where, "has not been extracted", "run 'mmray extract CONFIG'")], 0
    problems = verify_folder(target.folder, marker, spec_from_dict(marker["spec"]))
    return problems, marker["samples"]
