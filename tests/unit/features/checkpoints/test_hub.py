import os
import subprocess
import sys

import pytest

ASK = """
import sys
from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import read_checkpoint_config
import huggingface_hub.errors, huggingface_hub.file_download
import time
started = time.monotonic()
try:
    read_checkpoint_config("bert-base-uncased")
except ConfigError as error:
    print(error)
print(time.monotonic() - started)
"""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_hub_name_without_a_network_is_one_error_after_seconds(tmp_path, offline):
    environment = os.environ | {
        "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": offline, "HF_HOME": str(tmp_path),
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )

    *told, seconds = ended.stdout.splitlines()
    assert float(seconds) < 5
    assert told[0].startswith("checkpoint 'bert-base-uncased' is neither a local folder nor in the")
    assert told[1] == "  where: http://127.0.0.1:9/bert-base-uncased"
    assert "local folder" in told[2]
    assert "HF_HUB_OFFLINE" in told[2]
    assert ended.stderr == ""
