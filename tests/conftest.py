import os

# Before torch is loaded: threads that wait must not spin on a machine with few cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

torch.set_num_threads(1)  # threads over tensors this small only wait for each other
