"""Builds a TensorRT engine of the exported network with NVIDIA's `trtexec`.

Nothing in this project loads such an engine, and this has never been run: no machine that this was written on
has TensorRT. What is tested is the command.
https://docs.nvidia.com/deeplearning/tensorrt/latest/reference/command-line-programs.html
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ttsops.engines.f5.durations import FRAMES_PER_SECOND
from ttsops.engines.f5.onnx_folder import DIT_FILE, Manifest, Shape, read_manifest
from ttsops.engines.f5.planning import RECOMMENDED_FRAMES
from ttsops.errors import AudioError, EngineUnavailable, InvalidValue, NotInstalled
from ttsops.voices.reference import MIN_SECONDS

TRTEXEC = "trtexec"

TYPICAL_SECONDS = 8.0
"""A reference of five, and a first chunk of about three."""

ROWS_PER_CHUNK = 2
"""With text and voice, and without."""


@dataclass(frozen=True, slots=True)
class Range:
    """Sizes of one kind: what must be possible, and what it is tuned for."""

    least: int
    typical: int
    most: int


def ranges(max_chunks: int) -> Mapping[str, Range]:
    """Of rows and frames, for as many chunks in one step as `max_chunks`."""
    shortest = int(MIN_SECONDS * FRAMES_PER_SECOND) + 2  # of the reference, and one of speech
    return {
        "rows": Range(1, ROWS_PER_CHUNK, ROWS_PER_CHUNK * max_chunks),
        "frames": Range(shortest, round(TYPICAL_SECONDS * FRAMES_PER_SECOND), RECOMMENDED_FRAMES),
    }


def command(folder: Path, out: Path, max_chunks: int) -> list[str]:
    """What builds `out` from the export in `folder`.

    Raises `EngineUnavailable` if there is no export, `InvalidValue` for fewer than one chunk.
    """
    if max_chunks < 1:
        raise InvalidValue(f"{max_chunks} chunks in a step: must be at least 1", param="max_chunks")
    manifest = read_manifest(folder)
    sizes = ranges(max_chunks)
    # A graph in fp16 is built as it is written; of one in fp32, layers may be computed in fp16.
    precision = "--stronglyTyped" if manifest.dtype == "fp16" else "--fp16"
    return [
        TRTEXEC,
        f"--onnx={folder / DIT_FILE}",
        f"--saveEngine={out}",
        precision,
        f"--minShapes={_shapes(manifest, {name: one.least for name, one in sizes.items()})}",
        f"--optShapes={_shapes(manifest, {name: one.typical for name, one in sizes.items()})}",
        f"--maxShapes={_shapes(manifest, {name: one.most for name, one in sizes.items()})}",
        "--skipInference",
    ]


def build(folder: Path, out: Path, max_chunks: int) -> None:
    """Run the command; its output goes where this process's does.

    Raises as `command` does, `NotInstalled` without `trtexec`, `InvalidValue` if there is something at
    `out`, `EngineUnavailable` if nothing was built: then nothing is left.
    """
    if out.exists():
        raise InvalidValue(f"there is something at `{out}`", hint="remove it, or name another file")
    draft = out.with_name(f".{out.name[:100]}.{secrets.token_hex(4)}.part")
    words = command(folder, draft, max_chunks)
    program = shutil.which(TRTEXEC)
    if program is None:
        raise NotInstalled(
            f"TensorRT is not installed: there is no `{TRTEXEC}` on the path",
            hint="install TensorRT on the machine with the GPU that will run the engine; "
            "`--dry-run` shows the command",
        )
    try:
        code = subprocess.run([program, *words[1:]], check=False).returncode
        if code or not draft.exists():
            raise EngineUnavailable(f"`{TRTEXEC}` built nothing and ended with {code}", hint="see its output")
        draft.rename(out)
    except OSError as e:
        raise AudioError(f"cannot write `{out}`: {e.strerror or e}") from e
    finally:
        draft.unlink(missing_ok=True)


def _shapes(manifest: Manifest, sizes: Mapping[str, int]) -> str:
    inputs = manifest.graphs[DIT_FILE].inputs
    return ",".join(f"{name}:{_shape(shape, sizes)}" for name, shape in inputs.items())


def _shape(shape: Shape, sizes: Mapping[str, int]) -> str:
    return "x".join(str(sizes[one] if isinstance(one, str) else one) for one in shape)
