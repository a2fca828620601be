"""`ttsops export`: writes, compares, and says what it cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttsops.engines.f5 import onnx_folder

pytestmark = pytest.mark.unit

CASE = Path(__file__).parents[1] / "golden" / "f5" / "batch2_nfe8_attnmask"

Ttsops = Callable[..., Any]

MANIFEST = {
    "format": 1,
    "engine": "f5",
    "origin": {"random_weights": "small"},
    "dtype": "fp32",
    "opset": 20,
    "graphs": {"dit.onnx": {"inputs": {"x": ["rows", "frames", 100]}, "outputs": {}}},
    "files": {"dit.onnx": "0" * 64},
    "versions": {},
}


@pytest.fixture
def unwritten(tmp_path: Path) -> Path:
    """A manifest whose graphs are lost."""
    folder = tmp_path / "lost"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    return folder


@pytest.mark.slow
def test_recorded_weights_are_exported_and_agree_with_their_recording(ttsops: Ttsops, tmp_path: Path) -> None:
    out = tmp_path / "case-onnx"
    done = ttsops("export", "onnx", "--engine", "f5", "--model", CASE, "--out", out)
    assert (done.code, done.out) == (0, "")
    assert "Wrote" in done.err
    assert {path.name for path in out.iterdir()} == {"dit.onnx", "vocos.onnx", "manifest.json"}
    done = ttsops("export", "check", out, "--case", CASE)
    lines = done.out.splitlines()
    assert (done.code, {line.split()[0] for line in lines}) == (0, {"ok"})
    assert f"{len(lines)} of {len(lines)} within tolerance" in done.err
    mel = next(line for line in lines if f"{CASE.name}: single1_mel" in line)
    assert mel.endswith("<= 0.0001")
    facts = json.loads(ttsops("export", "check", out, "--model", CASE, "--json").out)
    assert all(one["ok"] and one["max_abs_diff"] <= one["tolerance"] for one in facts)


def test_a_lost_graph_is_a_failed_check(ttsops: Ttsops, unwritten: Path) -> None:
    done = ttsops("export", "check", unwritten)
    assert (done.code, "FAR files" in done.out, "0 of 1 within" in done.err) == (1, True, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("onnx", "--engine", "f5", "--out", "new"), "weights are missing"),
        (("onnx", "--engine", "tone", "--model", "x", "--out", "new"), "cannot be exported"),
        (("onnx", "--engine", "f5", "--random-weights", "small", "--out", "."), "there is something"),
        (("check", "."), "no export"),
        (("tensorrt", ".", "--out", "x.plan"), "no export"),
    ],
)
def test_wrong_usage_is_refused(ttsops: Ttsops, words: tuple[str, ...], said: str) -> None:
    done = ttsops("export", *words)
    assert (done.code, said in done.err) == (2, True)


def test_weights_that_are_not_there_are_unavailable(ttsops: Ttsops, tmp_path: Path) -> None:
    done = ttsops("export", "onnx", "--engine", "f5", "--model", tmp_path / "no.safetensors", "--out", "new")
    assert done.code == 3
    assert not (tmp_path / "new").exists()


def test_without_the_extra_it_says_what_to_install(ttsops: Ttsops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_folder, "find_spec", lambda name: None)
    done = ttsops("export", "onnx", "--engine", "f5", "--random-weights", "small", "--out", "new")
    assert (done.code, "pip install 'tts-ops[f5,onnx]'" in done.err) == (3, True)


def test_without_tensorrt_nothing_is_built_and_a_dry_run_shows_the_command(
    ttsops: Ttsops, unwritten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(unwritten))
    done = ttsops("export", "tensorrt", unwritten, "--out", "f5.plan")
    assert (done.code, "TensorRT is not installed" in done.err) == (3, True)
    done = ttsops("export", "tensorrt", unwritten, "--out", "f5.plan", "--max-chunks", "2", "--dry-run")
    assert (done.code, "Nothing was run" in done.err) == (0, True)
    assert done.out.startswith("trtexec --onnx=")
    assert "--maxShapes=x:4x2812x100" in done.out
