"""The functions of torchmetrics that tasks are measured by, without the rest of that library.

Whoever imports a part of torchmetrics has its packages import every other part first, and with them
transformers and SciPy: a third and more of what a process that trains spends on its imports.
"""

import importlib
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

LIBRARY = "torchmetrics"
PARTS = ("torchmetrics.functional.classification", "torchmetrics.functional.regression")


@contextmanager
def parts_alone() -> Generator[None]:
    """Let ``PARTS`` be imported as if their packages held nothing else.

    Python forgets them afterwards: who imports torchmetrics later gets all of it, from anew. Where
    they cannot be had alone, as a release may have it, or torchmetrics is loaded, nothing changes.
    """
    spec = find_spec(LIBRARY)
    if LIBRARY in sys.modules or spec is None or not spec.submodule_search_locations:
        yield
        return
    folder_of_library = Path(spec.submodule_search_locations[0])
    for name, folder in (
        (LIBRARY, folder_of_library),
        (f"{LIBRARY}.functional", folder_of_library / "functional"),
    ):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    # The one thing that its parts take from the package itself.
    vars(sys.modules[LIBRARY])["_logger"] = logging.getLogger(LIBRARY)
    try:
        for part in PARTS:
            importlib.import_module(part)
    except (ImportError, AttributeError):  # a part asks its package for more than stands in for it
        _forget()
        yield
    else:
        yield
        _forget()


def _forget() -> None:
    for name in [n for n in sys.modules if n == LIBRARY or n.startswith(f"{LIBRARY}.")]:
        del sys.modules[name]


with parts_alone():
    from torchmetrics.functional.classification import (
        binary_accuracy,
        binary_auroc,
        binary_average_precision,
        binary_f1_score,
        binary_precision,
        binary_recall,
        multiclass_accuracy,
        multiclass_cohen_kappa,
        multiclass_confusion_matrix,
        multiclass_f1_score,
        multiclass_precision,
        multiclass_recall,
        multilabel_exact_match,
        multilabel_f1_score,
        multilabel_precision,
        multilabel_recall,
    )
    from torchmetrics.functional.regression import (
        mean_absolute_error,
        mean_squared_error,
        r2_score,
    )

__all__ = [
    "binary_accuracy",
    "binary_auroc",
    "binary_average_precision",
    "binary_f1_score",
    "binary_precision",
    "binary_recall",
    "mean_absolute_error",
    "mean_squared_error",
    "multiclass_accuracy",
    "multiclass_cohen_kappa",
    "multiclass_confusion_matrix",
    "multiclass_f1_score",
    "multiclass_precision",
    "multiclass_recall",
    "multilabel_exact_match",
    "multilabel_f1_score",
    "multilabel_precision",
    "multilabel_recall",
    "r2_score",
]
