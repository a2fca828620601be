"""The published implementation of VibeVoice-Realtime, timed on random weights of full size.

    PYTHONPATH=src python -m benchmarks.vibevoice_reference REPOSITORY FRAMES THREADS

Run by `benchmarks.vibevoice_realtime --reference`, with the Python of an environment that has what the
published code asks for (transformers 4.51.3, diffusers) beside torch. The weights are those of our own
benchmark, tensor by tensor; the voice is a published one; the classifier of the end of speech is switched
off. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.meter import Meter
from benchmarks.same_weights import Into
from ttsops.engines.vibevoice_realtime.model import EOS_PREFIX, RealtimeModel
from ttsops.engines.vibevoice_realtime.random_model import FULL, random_weights

VOICE = Path(__file__).parents[1] / "tests/golden/vibevoice_realtime/voices/en-Mike_man.pt"
CFG_SCALE, N_STEPS = 1.5, 5

CONFIG: dict[str, Any] = {
    "acoustic_tokenizer_config": {},
    "decoder_config": {
        "model_type": "qwen2",
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151_936,
        "max_position_embeddings": 8192,
        "rope_theta": 1e6,
        "rms_norm_eps": 1e-6,
    },
    "diffusion_head_config": {"hidden_size": 896, "latent_size": 64, "head_ffn_ratio": 3.0},
    "tts_backbone_num_hidden_layers": 20,
    "torch_dtype": "float32",
}


def build(repository: Path) -> Any:
    sys.path.insert(0, str(repository))
    from transformers.modeling_utils import no_init_weights
    from vibevoice.modular.configuration_vibevoice_streaming import VibeVoiceStreamingConfig
    from vibevoice.modular.modeling_vibevoice_streaming_inference import (
        VibeVoiceStreamingForConditionalGenerationInference,
    )

    with no_init_weights():
        model = VibeVoiceStreamingForConditionalGenerationInference(VibeVoiceStreamingConfig(**CONFIG))
    del model.model.acoustic_tokenizer.encoder
    with torch.no_grad():
        RealtimeModel(Into(random_weights(0), model), FULL)
        model.state_dict()[f"{EOS_PREFIX}.fc2.bias"].fill_(-1.0)
    model.eval()
    model.set_ddpm_inference_steps(num_steps=N_STEPS)
    return model


def read_voice() -> dict[str, Any]:
    """In fp32, as the model is."""
    prompts: dict[str, Any] = torch.load(VOICE, map_location="cpu", weights_only=False)
    for prompt in prompts.values():
        prompt["last_hidden_state"] = prompt["last_hidden_state"].float()
        cache = prompt["past_key_values"]
        cache.key_cache = [keys.float() for keys in cache.key_cache]
        cache.value_cache = [values.float() for values in cache.value_cache]
    return prompts


class FrameMeter(Meter):
    """Times calls by name, and the frames as they come out."""

    def __init__(self) -> None:
        super().__init__()
        self.frames_at: list[float] = []

    def put(self, *_: Any) -> None:
        self.frames_at.append(time.perf_counter())

    def end(self, *_: Any) -> None:
        pass


def speak(model: Any, n_frames: int, meter: FrameMeter) -> float:
    """Make so many frames, a text window before every six; gives when it began."""
    prompts = read_voice()
    n_text, n_speech = (prompts[part]["last_hidden_state"].shape[1] for part in ("lm", "tts_lm"))
    n_tokens = 5 * (n_frames // 6 + 1)
    ids = torch.zeros(1, n_text, dtype=torch.long)
    speech_ids = torch.zeros(1, n_speech, dtype=torch.long)
    tokenizer = SimpleNamespace(
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        speech_start_id=2,
        speech_end_id=3,
        speech_diffusion_id=4,
        convert_tokens_to_ids=lambda text: 5,
    )
    started_at = time.perf_counter()
    model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        tts_lm_input_ids=speech_ids,
        tts_lm_attention_mask=torch.ones_like(speech_ids),
        tts_text_ids=torch.arange(1000, 1000 + n_tokens)[None],
        all_prefilled_outputs=prompts,
        max_new_tokens=n_tokens + n_frames + 6,
        cfg_scale=CFG_SCALE,
        tokenizer=tokenizer,
        generation_config={"do_sample": False},
        audio_streamer=meter,
        show_progress_bar=False,
        stop_check_fn=lambda: len(meter.frames_at) >= n_frames,
    )
    return started_at


def main() -> None:
    repository, n_frames, n_threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(n_threads)
    model = build(repository)
    speak(model, 2, FrameMeter())
    meter = FrameMeter()
    meter.wrap(model, "forward_lm", "text layers")
    meter.wrap(model, "forward_tts_lm", "speech layers")
    meter.wrap(model, "sample_speech_tokens", "diffusion head")
    meter.wrap(model.model.acoustic_tokenizer, "decode", "acoustic decoder")
    started_at = speak(model, n_frames, meter)
    n_made = len(meter.frames_at)
    seconds = meter.frames_at[-1] - started_at
    print(
        json.dumps(
            {
                "frames": n_made,
                "frame_ms": 1000 * seconds / n_made,
                "rtf": seconds / n_made * 7.5,
                "first_chunk_ms": 1000 * (meter.frames_at[0] - started_at),
                "component_ms": {name: 1000 * spent / n_made for name, spent in meter.seconds.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
