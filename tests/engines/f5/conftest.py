"""One thread per test: a second one gains nothing on small models and waits for a core that others use."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import SMALL, random_model

BATCH = Path(__file__).parents[2] / "golden" / "f5" / "batch2_nfe8_attnmask"


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def model() -> F5Model:
    """Small and random; nothing may change it."""
    return random_model(SMALL, seed=1)


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """A copy of a recording, to be broken."""
    return Path(shutil.copytree(BATCH, tmp_path / "renamed"))


@pytest.fixture
def sample(batch: Path) -> Path:
    """The recorded batch's second chunk, in the layout of one that was sampled alone."""
    inputs, outputs = load_file(batch / "inputs.safetensors"), load_file(batch / "outputs.safetensors")
    meta = json.loads((batch / "meta.json").read_text())
    alone = {name: inputs[name][1:2].contiguous() for name in ("duration", "lens", "ref_mel", "text_ids")}
    save_file(alone | {"noise": inputs["single1_noise"]}, batch / "inputs.safetensors")
    single = {name.removeprefix("single1_"): one for name, one in outputs.items() if "single1" in name}
    single["timesteps"] = outputs["timesteps"]
    single["step0_pred_cond"] = outputs["step0_pred_cond"][1:].contiguous()
    save_file(single, batch / "outputs.safetensors")
    meta |= {"kind": "sample", "ref_audio_len": meta["lens"][1] - 1}
    (batch / "meta.json").write_text(json.dumps(meta))
    return batch
