import subprocess
import sys

import pytest

ALONE = """
import sys
from mmray.training.tasks import metric_functions
found = {"torchmetrics", "transformers", "scipy"} & set(sys.modules)
assert not found, found
import torch, torchmetrics
metric = torchmetrics.classification.BinaryAUROC()
scores, labels = torch.tensor([0.1, 0.7, 0.4, 0.9]), torch.tensor([0, 1, 1, 0])
assert metric(scores, labels) == metric_functions.binary_auroc(scores, labels) == 0.5
"""
WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Refuses(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        stands_in = getattr(sys.modules.get("torchmetrics"), "__spec__", None) is None
        if name == "torchmetrics.utilities" and stands_in:
            raise ImportError("not without the rest")

sys.meta_path.insert(0, Refuses())
from mmray.training.tasks import metric_functions
import torchmetrics
assert metric_functions.r2_score is torchmetrics.functional.r2_score
"""


@pytest.mark.parametrize("code", [ALONE, WITHOUT], ids=["alone", "whole"])
def test_metric_functions_come_alone_where_they_can(code):
    """By themselves, and where torchmetrics cannot be had in parts, with all of it."""
    subprocess.run([sys.executable, "-c", code], check=True)
