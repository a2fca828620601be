"""Memory of a manifest of 100 000 lines: their ids and digests are held, their texts and files are not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

N = 100_000
MAX_MIB = 250

DRIVER = """
import asyncio, resource, sys
from contextlib import asynccontextmanager
from pathlib import Path
from ttsops.batch import Defaults, Patience, Speech, run_batch

class Quick:
    n_at_once, weights = 16, {"tone": {}}

    async def speak(self, order):
        return Speech(order.request.text.encode(), 1.0, "low")

@asynccontextmanager
async def quick(engines):
    yield Quick()

patience = Patience(60)
done = asyncio.run(run_batch(Path("texts.jsonl"), Path("out"), Defaults(engine="tone"), quick, patience))
unit = 1024 if sys.platform == "linux" else 1024**2
print(done.n_spoken, done.n_before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit)
"""


def test_memory_grows_by_ids_and_digests_alone(tmp_path: Path) -> None:
    with (tmp_path / "texts.jsonl").open("w") as file:
        for number in range(N):
            file.write(json.dumps({"id": f"row-{number}", "text": "A text of the usual length. " * 5}) + "\n")
    for wanted in ((N, 0), (0, N)):
        done = subprocess.run(
            [sys.executable, "-c", DRIVER], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        n_spoken, n_before, mib = map(int, done.stdout.split())
        assert (n_spoken, n_before) == wanted
        assert mib < MAX_MIB, f"{mib} MiB"
