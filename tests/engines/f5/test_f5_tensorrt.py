"""The command that builds a TensorRT engine. That it was never run is said, and nothing here runs it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ttsops.engines.f5.onnx_folder import DIT_FILE, MANIFEST_FILE, Dtype, Graph, Manifest, Origin
from ttsops.engines.f5.planning import RECOMMENDED_FRAMES
from ttsops.engines.f5.tensorrt import TRTEXEC, build, command
from ttsops.errors import EngineUnavailable, InvalidValue, NotInstalled

pytestmark = pytest.mark.unit


def exported(folder: Path, dtype: Dtype = "fp32") -> Path:
    """A manifest without its graphs: the command needs no more."""
    inputs = {"x": ("rows", "frames", 100), "modulations": ("rows", 896), "mask": ("rows", "frames")}
    manifest = Manifest(
        origin=Origin(random_weights="small"),
        dtype=dtype,
        opset=20,
        graphs={DIT_FILE: Graph(inputs=inputs, outputs={})},
        files={},
        versions={},
    )
    (folder / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
    return folder


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program of that name, which is not TensorRT's."""
    program = folder / TRTEXEC
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_sizes_are_those_of_the_engine_s_chunks(tmp_path: Path) -> None:
    words = command(exported(tmp_path), Path("f5.plan"), max_chunks=4)
    assert words == [
        TRTEXEC,
        f"--onnx={tmp_path / DIT_FILE}",
        "--saveEngine=f5.plan",
        "--fp16",
        "--minShapes=x:1x189x100,modulations:1x896,mask:1x189",
        "--optShapes=x:2x750x100,modulations:2x896,mask:2x750",
        f"--maxShapes=x:8x{RECOMMENDED_FRAMES}x100,modulations:8x896,mask:8x{RECOMMENDED_FRAMES}",
        "--skipInference",
    ]


def test_a_graph_in_half_precision_is_built_as_it_is(tmp_path: Path) -> None:
    words = command(exported(tmp_path, "fp16"), Path("f5.plan"), max_chunks=1)
    assert ("--stronglyTyped" in words, "--fp16" in words) == (True, False)
    assert any(word.startswith("--maxShapes=x:2x") for word in words)


def test_no_chunk_at_a_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="at least 1"):
        command(exported(tmp_path), Path("f5.plan"), max_chunks=0)


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no ONNX export"):
        command(tmp_path, Path("f5.plan"), max_chunks=1)


def test_where_tensorrt_is_not_installed_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="TensorRT is not installed"):
        build(exported(tmp_path), tmp_path / "f5.plan", max_chunks=1)
    assert not (tmp_path / "f5.plan").exists()


def test_what_was_built_is_there_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(
        tmp_path, monkeypatch, 'for word; do case $word in --saveEngine=*) echo > "${word#*=}";; esac; done'
    )
    out = tmp_path / "out"
    out.mkdir()
    build(exported(tmp_path), out / "f5.plan", max_chunks=1)
    assert [path.name for path in out.iterdir()] == ["f5.plan"]
    with pytest.raises(InvalidValue, match="there is something"):
        build(tmp_path, out / "f5.plan", max_chunks=1)


@pytest.mark.parametrize("code", [0, 3])
def test_a_build_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    writes = 'for word; do case $word in --saveEngine=*) echo > "${word#*=}";; esac; done; ' if code else ""
    installed(tmp_path, monkeypatch, f"{writes}exit {code}")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(EngineUnavailable, match=f"ended with {code}"):
        build(exported(tmp_path), out / "f5.plan", max_chunks=1)
    assert not list(out.iterdir())
