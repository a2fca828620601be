from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ttsops.engines.nn.layers import load_fused, load_table
from ttsops.engines.nn.weights import INDEX_FILE, CheckpointWeights, RandomWeights
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit


def checkpoint(folder: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, here=torch.ones(2), wide=torch.ones(3), extra=torch.ones(1))
    with CheckpointWeights(folder) as weights:
        assert weights.take("here", 2).tolist() == [1, 1]
        weights.take("gone", 2)
        weights.take("wide", 2)
        with pytest.raises(EngineUnavailable) as caught:
            weights.finish()
    for part in ("1 missing: gone", "wide is [3], not [2]", "1 unknown: extra"):
        assert part in caught.value.message


def test_a_thousand_faults_are_counted_and_the_first_named(tmp_path: Path) -> None:
    with CheckpointWeights(checkpoint(tmp_path)) as weights:
        for i in range(1000):
            weights.take(f"tensor{i}", 1)
        with pytest.raises(EngineUnavailable, match=r"1000 missing: tensor0, .* and 992 more"):
            weights.finish()


def test_what_is_known_to_be_unused_may_be_left_over(tmp_path: Path) -> None:
    with CheckpointWeights(checkpoint(tmp_path, **{"encoder.conv": torch.ones(1)})) as weights:
        weights.finish(("encoder.",))


def test_shards_are_found_through_their_index(tmp_path: Path) -> None:
    for i in range(2):
        save_file({f"w{i}": torch.full((1,), float(i))}, tmp_path / f"model-{i}.safetensors")
    index = {"weight_map": {f"w{i}": f"model-{i}.safetensors" for i in range(2)}}
    (tmp_path / INDEX_FILE).write_text(json.dumps(index))
    with CheckpointWeights(tmp_path) as weights:
        assert [weights.take(f"w{i}", 1).item() for i in range(2)] == [0, 1]
        weights.finish()


def test_an_index_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "elsewhere.safetensors")
    inner = tmp_path / "model"
    inner.mkdir()
    (inner / INDEX_FILE).write_text(json.dumps({"weight_map": {"w": "../elsewhere.safetensors"}}))
    with pytest.raises(EngineUnavailable):
        CheckpointWeights(inner)


def test_no_checkpoint_is_said_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        CheckpointWeights(tmp_path)
    (tmp_path / "model.safetensors").write_text("not one")
    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        CheckpointWeights(tmp_path)


def test_weights_come_in_the_asked_format(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, w=torch.ones(2, dtype=torch.bfloat16))
    with CheckpointWeights(folder) as weights:
        assert weights.take("w", 2).dtype == torch.float32
        assert weights.take("w", 2, dtype=torch.bfloat16).dtype == torch.bfloat16


def test_random_weights_depend_on_name_and_seed_alone() -> None:
    one, other = RandomWeights(1), RandomWeights(1)
    other.take("a", 3, 3)
    assert torch.equal(one.take("b", 4, 4), other.take("b", 4, 4))
    assert not torch.equal(one.take("b", 4, 4), one.take("c", 4, 4))
    assert not torch.equal(one.take("b", 4, 4), RandomWeights(2).take("b", 4, 4))


def test_random_weights_keep_the_size_of_what_passes_through_them() -> None:
    weights = RandomWeights(0)
    x = torch.randn(512, generator=torch.Generator().manual_seed(0))
    assert (weights.take("w", 512, 512) @ x).std() == pytest.approx(1, abs=0.2)
    assert torch.equal(weights.take("norm.weight", 5), torch.ones(5))
    assert RandomWeights(0, {"b": 2.5}).take("b").item() == 2.5


def test_a_fused_layer_gives_the_outputs_of_its_parts_side_by_side() -> None:
    weights = RandomWeights(0)
    fused = load_fused(weights, [("q", 3), ("k", 2)], 4, has_bias=True)
    x = torch.ones(1, 4)
    parts = [load_fused(weights, [part], 4, has_bias=True)(x) for part in (("q", 3), ("k", 2))]
    torch.testing.assert_close(fused(x), torch.cat(parts, dim=1))


@pytest.mark.parametrize(
    ("stored", "network", "kept"),
    [
        (torch.bfloat16, torch.float32, torch.bfloat16),
        (torch.float32, torch.float32, torch.float32),
        (torch.float32, torch.bfloat16, torch.bfloat16),
    ],
)
def test_a_table_is_never_wider_than_it_was_stored(
    tmp_path: Path, stored: torch.dtype, network: torch.dtype, kept: torch.dtype
) -> None:
    table = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).to(stored)
    with CheckpointWeights(checkpoint(tmp_path, table=table), dtype=network) as weights:
        found = load_table(weights, "table", 4, 3)
    assert found.dtype == kept
    torch.testing.assert_close(found, table.to(kept), rtol=0, atol=0)


def test_a_table_that_is_missing_is_named(tmp_path: Path) -> None:
    with CheckpointWeights(checkpoint(tmp_path)) as weights:
        load_table(weights, "table", 4, 3)
        with pytest.raises(EngineUnavailable, match="1 missing: table"):
            weights.finish()


def test_pytorchs_own_format_is_read_as_safetensors_are(tmp_path: Path) -> None:
    torch.save({"a.weight": torch.arange(6.0).view(2, 3)}, tmp_path / "pytorch_model.bin")
    with CheckpointWeights(tmp_path / "pytorch_model.bin") as weights:
        assert torch.equal(weights.take("a.weight", 2, 3), torch.arange(6.0).view(2, 3))
        weights.take("b.weight", 1)
        with pytest.raises(EngineUnavailable, match=r"1 missing: b\.weight"):
            weights.finish()


def test_a_file_of_anything_but_tensors_is_refused(tmp_path: Path) -> None:
    for content in ([1, 2], {"a": 1}, {"a": object}):
        torch.save(content, tmp_path / "pytorch_model.bin")
        with pytest.raises(EngineUnavailable, match="no checkpoint can be read"):
            CheckpointWeights(tmp_path / "pytorch_model.bin")
