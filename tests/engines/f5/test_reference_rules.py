"""Chunks, durations and cross-fades as the published pipeline computes them, from its own tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from ttsops.engines.f5.chunks import max_chunk_bytes, split_chunks
from ttsops.engines.f5.durations import reference_duration
from ttsops.engines.f5.seams import ChunkJoiner, join_chunks

pytestmark = pytest.mark.unit

RECORDED = Path(__file__).parents[2] / "golden" / "f5"


def rows(path: str) -> list[dict[str, Any]]:
    found = json.loads((RECORDED / path).read_text())["rows"]
    assert isinstance(found, list)
    return found


def test_texts_are_split_where_the_reference_splits_them() -> None:
    table = rows("chunk_text/chunks.json")
    assert len(table) == 96
    for row in table:
        assert split_chunks(row["text"], row["max_chars"]) == row["chunks"], row


def test_durations_are_those_of_the_reference() -> None:
    table = rows("durations/durations.json")
    assert len(table) == 320
    for row in table:
        max_bytes = max_chunk_bytes(row["ref_text"], row["ref_samples"] / row["ref_sr"], row["speed"])
        assert max_bytes == row["max_chars"]
        chunks = split_chunks(row["gen_text"], max_bytes)
        made = reference_duration(
            chunks,
            row["ref_text"],
            row["cond_samples"],
            speed=row["speed"],
            fix_duration=row["fix_duration"],
        )
        assert made == row["chunk_durations"], row


# ---- seams -----------------------------------------------------------------------------

TENSORS = load_file(RECORDED / "crossfade" / "crossfade.safetensors")
CASES = rows("crossfade/meta.json")


def chunks_of(case: dict[str, Any]) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any], int]:
    number = case["case"]
    chunks = [TENSORS[f"case{number}_in{i}"] for i in range(len(case["lens"]))]
    return chunks, TENSORS[f"case{number}_out"], int(case["cross_fade_duration"] * 24_000)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"case{case['case']}")
def test_joined_chunks_equal_the_recording(case: dict[str, Any]) -> None:
    chunks, expected, n_faded = chunks_of(case)
    joined = join_chunks(chunks, n_faded)
    assert joined.dtype == np.float32
    np.testing.assert_allclose(joined, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("piece", [1, 700, 5000])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"case{case['case']}")
def test_pieces_join_as_wholes_do(case: dict[str, Any], piece: int) -> None:
    chunks, _, n_faded = chunks_of(case)
    joiner = ChunkJoiner(n_faded)
    heard = []
    for chunk in chunks:
        joiner.begin(len(chunk))
        heard += [joiner.push(chunk[start : start + piece]) for start in range(0, len(chunk), piece)]
    heard.append(joiner.finish())
    np.testing.assert_array_equal(np.concatenate(heard), join_chunks(chunks, n_faded))


def test_only_what_may_still_fade_is_held_back() -> None:
    joiner = ChunkJoiner(3600)
    joiner.begin(10_000)
    assert len(joiner.push(np.ones(5000, np.float32))) == 5000, "its end is far: nothing waits"
    assert len(joiner.push(np.ones(5000, np.float32))) == 1400
    assert len(joiner.finish()) == 3600
