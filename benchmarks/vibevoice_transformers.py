"""VibeVoice as transformers generates it, timed on random weights of full size.

    python -m benchmarks.vibevoice_transformers '{"device": "cpu", "dtype": "fp32", "frames": 20}'

Run by `benchmarks.vibevoice` and `benchmarks.gpu`, with a Python that has transformers and diffusers beside
torch. The weights are those of our own benchmark, tensor by tensor. Every choice is made a frame, as there;
all else is as `generate` does it, its second guidance over the text included. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch

from benchmarks.memory import peak_bytes
from benchmarks.meter import Meter
from benchmarks.same_weights import Into
from ttsops.engines.nn.hums import PITCHES, hum
from ttsops.engines.nn.qwen_tokenizer import HashedWords
from ttsops.engines.vibevoice.config import VibeVoiceConfig
from ttsops.engines.vibevoice.layouts import converted_name
from ttsops.engines.vibevoice.model import VibeVoiceModel
from ttsops.engines.vibevoice.prompt import make_prompt
from ttsops.engines.vibevoice.random_model import FULL, SMALL, random_weights
from ttsops.engines.vibevoice.voices import count_frames, level

CFG_SCALE, N_STEPS = 1.3, 10
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
TEXT = "The harbour wakes before the town does, and men carry crates of ice along the quay. " * 2


class IntoConverted(Into):
    """As `Into`, for a reference whose tensors have the names of the converted layout."""

    def place(self, name: str) -> str:
        return converted_name(name)


def build(sizes: VibeVoiceConfig, device: torch.device, dtype: torch.dtype) -> Any:
    from transformers import VibeVoiceConfig as TheirConfig
    from transformers import VibeVoiceForConditionalGeneration

    text, head, codec = sizes.language_model, sizes.head, sizes.acoustic
    config = TheirConfig(
        text_config={
            "model_type": "qwen2",
            "hidden_size": text.hidden_size,
            "intermediate_size": text.intermediate_size,
            "num_hidden_layers": sizes.n_layers,
            "num_attention_heads": text.num_attention_heads,
            "num_key_value_heads": text.num_key_value_heads,
            "vocab_size": text.vocab_size,
            "max_position_embeddings": text.max_position_embeddings,
            "rope_parameters": {"rope_type": "default", "rope_theta": text.rope_theta},
            "rms_norm_eps": text.rms_norm_eps,
            "tie_word_embeddings": sizes.is_tied,
        },
        diffusion_head_config={
            "hidden_size": head.hidden_size,
            "num_hidden_layers": head.head_layers,
            "intermediate_size": head.feed_forward_size,
        },
        audio_config=_codec("vibevoice_acoustic_tokenizer", codec),
        semantic_model_config=_codec("vibevoice_acoustic_tokenizer_encoder", sizes.semantic),
        audio_bos_token_id=sizes.tokens.audio_bos,
        audio_eos_token_id=sizes.tokens.audio_eos,
        audio_token_id=sizes.tokens.audio,
        eos_token_id=sizes.tokens.eos,
        pad_token_id=sizes.tokens.eos,
    )
    with torch.device(device):
        model = VibeVoiceForConditionalGeneration(config)
    model.to(dtype)
    with torch.no_grad():
        VibeVoiceModel(IntoConverted(random_weights(0, device, dtype), model), sizes)
    return model.eval()


def _codec(kind: str, sizes: Any) -> dict[str, Any]:
    return {
        "model_type": kind,
        "hidden_size": sizes.latent_size,
        "num_filters": sizes.n_filters,
        "downsampling_ratios": list(sizes.ratios),
        "depths": list(sizes.depths),
    }


class FrameClock(Meter):
    """Times calls by name, and the tokens as they are chosen. The first that is put is the prompt."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.chosen_at: list[float] = []

    def put(self, _: Any) -> None:
        self.chosen_at.append(time.perf_counter())

    def end(self) -> None:
        pass


def speak(model: Any, sizes: VibeVoiceConfig, n_frames: int, clock: FrameClock) -> float:
    """Make so many frames; gives when it began."""
    from transformers import LogitsProcessor

    class OnlyFrames(LogitsProcessor):
        def __call__(self, ids: Any, scores: torch.Tensor) -> torch.Tensor:
            scores = torch.full_like(scores, -torch.inf)
            scores[:, sizes.tokens.audio] = 0.0
            return scores

    recording = hum(next(iter(PITCHES)))
    n_voice = count_frames(recording, sizes.decoder.hop_length)
    samples = torch.from_numpy(level(recording))[: n_voice * sizes.decoder.hop_length]
    prompt = make_prompt([(0, TEXT)], [n_voice], HashedWords(min(sizes.tokens.ids)), sizes.tokens)
    ids = torch.tensor([prompt.ids], device=model.device)
    values = samples[None, None].to(model.device, model.dtype)
    started_at = time.perf_counter()
    model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        input_values=values,
        padding_mask=torch.ones(values.shape[0], values.shape[2], dtype=torch.bool, device=model.device),
        max_new_tokens=n_frames + 1,
        guidance_scale=CFG_SCALE,
        num_diffusion_steps=N_STEPS,
        do_sample=False,
        logits_processor=[OnlyFrames()],
        streamer=clock,
    )
    return started_at


def measure(device: str, dtype: str, frames: int, threads: int = 0, size: str = "full") -> dict[str, Any]:
    if threads:
        torch.set_num_threads(threads)
    sizes = SMALL if size == "small" else FULL
    before_bytes = peak_bytes()
    model = build(sizes, torch.device(device), DTYPES[dtype])
    speak(model, sizes, 2, FrameClock(model.device))
    clock = FrameClock(model.device)
    started_at = speak(model, sizes, frames, clock)
    # Frames lie between choices; the first of those that are put is the prompt.
    chosen = clock.chosen_at[1:]
    seconds = (chosen[-1] - chosen[0]) / (len(chosen) - 1)
    parts = FrameClock(model.device)
    parts.wrap(model.model.language_model, "forward", "language model, three passes")
    parts.wrap(model.lm_head, "forward", "vocabulary heads")
    parts.wrap(model.model.diffusion_head, "forward", "diffusion head")
    parts.wrap(model.model.audio_tower, "decode", "acoustic decoder")
    parts.wrap(model.model.semantic_tokenizer_encoder, "forward", "semantic encoder")
    speak(model, sizes, frames, parts)
    return {
        "frames": len(chosen) - 1,
        "frame_ms": 1000 * seconds,
        "rtf": seconds * 7.5,
        "first_frame_ms": 1000 * (chosen[1] - started_at),
        "component_ms": {name: 1000 * spent / frames for name, spent in parts.seconds.items()},
        "peak_mib": peak_bytes() / 2**20,
        "before_loading_mib": before_bytes / 2**20,
    }


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
