"""One listener again and again: figures that are those of the engine, and percentiles that were measured."""

import asyncio
from pathlib import Path

import pytest

from ttsops.errors import EngineError
from ttsops.ops.bench import Scene, run_iterations
from ttsops.ops.bench.iterations import deviation
from ttsops.ops.warmup import warm_up
from ttsops.ops.weight_files import forget
from ttsops.settings import EngineSettings, Settings
from ttsops.speech import OptionValue

pytestmark = pytest.mark.server


def tone(**options: OptionValue) -> Settings:
    return Settings(engine="tone", engines={"tone": EngineSettings(options=options)})


def test_percentiles_are_values_that_were_measured() -> None:
    found = deviation([float(n) for n in range(100, 0, -1)])
    assert (found.n, found.mean, found.median) == (100, 50.5, 50.5)
    assert (found.p95, found.p99, found.min, found.max) == (95, 99, 1, 100)
    assert found.deviation == pytest.approx(29.01, abs=0.01)
    assert deviation([3.0]).deviation == 0
    with pytest.raises(ValueError, match="nothing"):
        deviation([])


def test_an_engine_of_a_known_pace_is_measured_at_it() -> None:
    settings = tone(rtf=0.02, first_audio_seconds=0.1, load_seconds=0.3, seconds_per_char=0.02)
    found = asyncio.run(run_iterations(settings, 3, Scene()))
    assert found.rtf.n == found.first_chunk.n == 3
    assert 0.02 <= found.rtf.min <= found.rtf.median <= found.rtf.max < 0.2
    assert 0.1 <= found.first_chunk.min < 0.6
    assert found.chunks.min >= 2
    assert found.worker_bytes > 2**20
    assert 0.3 <= found.loads.cold.load_seconds < found.loads.cold.ready_seconds
    assert 0.3 <= found.loads.cached.load_seconds < found.loads.cached.ready_seconds
    assert found.loads.files_forgotten == 0, "it has no weights: no start of it is cold"


def test_an_engine_that_fails_has_no_figures() -> None:
    with pytest.raises(EngineError, match="set up to fail"):
        asyncio.run(run_iterations(tone(fail_after_steps=3), 2, Scene()))


def test_warming_up_measures_the_first_utterance_and_those_after_it() -> None:
    found = asyncio.run(warm_up(tone(first_audio_seconds=0.1)))
    assert found.first_chunk_before >= 0.1
    assert found.first_chunk_after >= 0.1
    assert (found.url, found.load_seconds) == ("", None)


def test_files_are_forgotten_and_stay_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    assert forget([file, tmp_path / "missing"]) in (0, 1)
    assert file.read_bytes() == b"weights"
