"""Serving never downloads: the process says so to every library in it, and to its workers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from server_process import any_port
from server_site import tone_settings

pytestmark = pytest.mark.server

SERVER = """
import os, sys
import msgspec
from ttsops.server.serve import serve
from ttsops.settings import Settings
code = serve(msgspec.json.decode(sys.argv[1], type=Settings))
from huggingface_hub import HfApi
from huggingface_hub.errors import OfflineModeIsEnabled
try:
    HfApi(endpoint="http://127.0.0.1:9").model_info("acme/small-voice")
except OfflineModeIsEnabled:
    print(os.environ["HF_HUB_OFFLINE"], "refused")
sys.exit(code)
"""


def test_a_library_that_would_download_is_refused_in_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    settings = msgspec.json.encode(any_port(tone_settings())).decode()
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "curl" in line:
                break
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert out == "1 refused\n"
    assert process.returncode == 0
