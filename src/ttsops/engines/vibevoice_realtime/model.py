"""The whole network: modules in the published layout, stateless, built from a checkpoint or at random.

Legend: N rows, C hidden size, D latent size.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.acoustic_decoder import AcousticDecoder
from ttsops.engines.nn.connector import Connector
from ttsops.engines.nn.diffusion_head import DiffusionHead
from ttsops.engines.nn.layers import load_linear, load_table
from ttsops.engines.nn.qwen2 import Qwen2Stack
from ttsops.engines.nn.sampler import Sampler
from ttsops.engines.nn.weights import Weights
from ttsops.engines.vibevoice_realtime.config import RealtimeConfig

SCALE_NAME, BIAS_NAME = "model.speech_scaling_factor", "model.speech_bias_factor"
EOS_PREFIX = "tts_eos_classifier"

UNUSED = (
    "model.tts_language_model.embed_tokens.",  # published, never read: the layers get hidden states
    "model.acoustic_tokenizer.encoder.",
    "model.acoustic_tokenizer.fix_std",
)
"""Beginnings of names that a checkpoint may hold and nothing here needs."""

SPEECH, TEXT = 0, 1
"""Rows of the input types."""


class EosClassifier:
    """From the hidden state after a frame to the logit that it was the last.

    In fp32 whatever the rest is: it is small, and a stream ends by the sign of one number.
    """

    def __init__(self, weights: Weights, prefix: str, hidden: int) -> None:
        self._fc1 = load_linear(weights, f"{prefix}.fc1", hidden, hidden, dtype=torch.float32)
        self._fc2 = load_linear(weights, f"{prefix}.fc2", hidden, 1, dtype=torch.float32)

    def __call__(self, hidden: Tensor) -> Tensor:
        """[N, C] → [N], fp32."""
        return self._fc2(functional.relu(self._fc1(hidden.float())))[:, 0]


class RealtimeModel:
    """Every module, and the few numbers between them."""

    def __init__(self, weights: Weights, config: RealtimeConfig) -> None:
        """Raises `EngineUnavailable` for a checkpoint that is not exactly this model."""
        language_model = config.language_model
        hidden = language_model.hidden_size
        self.config = config
        self.device, self.dtype = weights.device, weights.dtype
        self.embedding = load_table(
            weights, "model.language_model.embed_tokens.weight", language_model.vocab_size, hidden
        )
        self.text_layers = Qwen2Stack(
            weights, "model.language_model", language_model, config.n_text_layers, has_final_norm=False
        )
        self.speech_layers = Qwen2Stack(
            weights, "model.tts_language_model", language_model, config.n_speech_layers, has_final_norm=True
        )
        self.input_types = weights.take("model.tts_input_types.weight", 2, hidden)  # [2, C]
        self.connector = Connector(weights, "model.acoustic_connector", config.latent_size, hidden)
        self.eos = EosClassifier(weights, EOS_PREFIX, hidden)
        self.head = DiffusionHead(weights, "model.prediction_head", config.head)
        self.sampler = Sampler(self.head, self.device)
        self.decoder = AcousticDecoder(weights, "model.acoustic_tokenizer.decoder", config.decoder)
        # The published values differ from model to model and are NaN before training: never assumed.
        self.latent_scale = float(weights.take(SCALE_NAME, dtype=torch.float32))
        self.latent_bias = float(weights.take(BIAS_NAME, dtype=torch.float32))
        weights.finish(UNUSED)

    def decoder_input(self, latents: Tensor) -> Tensor:
        """From the sampler's latents [N, D], fp32, to the decoder's."""
        return (latents / self.latent_scale - self.latent_bias).to(self.dtype)
