"""The whole network: modules that are stateless, built from a checkpoint of either layout or at random.

Legend: N rows, C hidden size, D latent size, V frames of a voice.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ttsops.engines.nn.acoustic_decoder import AcousticDecoder
from ttsops.engines.nn.codec_encoder import CodecEncoder
from ttsops.engines.nn.connector import Connector
from ttsops.engines.nn.diffusion_head import DiffusionHead
from ttsops.engines.nn.layers import load_table
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.nn.qwen2 import Qwen2Stack
from ttsops.engines.nn.renamed_weights import RenamedWeights
from ttsops.engines.nn.sampler import Sampler
from ttsops.engines.nn.weights import CheckpointWeights, Weights
from ttsops.engines.vibevoice.config import VibeVoiceConfig, read_config
from ttsops.engines.vibevoice.layouts import check_tensors, converted_name

SCALE_NAME, BIAS_NAME = "model.speech_scaling_factor", "model.speech_bias_factor"
EMBEDDING_NAME, CHOICE_NAME = "model.language_model.embed_tokens.weight", "lm_head.weight"

UNUSED = ("model.acoustic_tokenizer.fix_std", "model.semantic_tokenizer.fix_std")
"""Beginnings of names that a checkpoint may hold and nothing here needs."""


class VibeVoiceModel:
    """Every module, and the few numbers between them."""

    def __init__(self, weights: Weights, config: VibeVoiceConfig) -> None:
        """Raises `EngineUnavailable` for a checkpoint that is not exactly this model."""
        if config.layout == "converted":
            weights = RenamedWeights(weights, converted_name)
        sizes = config.language_model
        hidden = sizes.hidden_size
        self.config = config
        self.device, self.dtype = weights.device, weights.dtype
        self.embedding = load_table(weights, EMBEDDING_NAME, sizes.vocab_size, hidden)
        table = self.embedding
        if not config.is_tied:
            table = load_table(weights, CHOICE_NAME, sizes.vocab_size, hidden)
        # Of 152 000 rows only these four are ever compared.
        self.choices = Linear(table[list(config.tokens.ids)].float())
        self.layers = Qwen2Stack(weights, "model.language_model", sizes, config.n_layers, has_final_norm=True)
        self.acoustic_connector = Connector(
            weights, "model.acoustic_connector", config.acoustic.latent_size, hidden
        )
        self.semantic_connector = Connector(
            weights, "model.semantic_connector", config.semantic.latent_size, hidden
        )
        self.head = DiffusionHead(weights, "model.prediction_head", config.head)
        self.sampler = Sampler(self.head, self.device)
        self.decoder = AcousticDecoder(weights, "model.acoustic_tokenizer.decoder", config.decoder)
        self.acoustic = CodecEncoder(weights, "model.acoustic_tokenizer.encoder", config.acoustic)
        self.semantic = CodecEncoder(weights, "model.semantic_tokenizer.encoder", config.semantic)
        # The published values differ from model to model and are NaN before training: never assumed.
        self.latent_scale = float(weights.take(SCALE_NAME, dtype=torch.float32))
        self.latent_bias = float(weights.take(BIAS_NAME, dtype=torch.float32))
        # A tied table may have been stored twice.
        weights.finish((*UNUSED, CHOICE_NAME) if config.is_tied else UNUSED)

    def choose(self, hidden: Tensor) -> Tensor:
        """Logits [N, 4], fp32, of `SpeechTokens.ids` after hidden states [N, C]."""
        return self.choices(hidden.float())

    def embed(self, ids: Tensor) -> Tensor:
        """[N] → [N, C]."""
        return self.embedding[ids].to(self.dtype)

    def voice_rows(self, latents: Tensor) -> Tensor:
        """What the language model reads of a voice [V, C]: the encoder's latents [V, D], noise included."""
        return self.acoustic_connector(self.to_model(latents).to(self.dtype))

    def to_model(self, latents: Tensor) -> Tensor:
        """From the codec's latents to those that the head predicts."""
        return (latents + self.latent_bias) * self.latent_scale

    def to_codec(self, latents: Tensor) -> Tensor:
        """And back: from the sampler's latents [N, D], fp32, to the decoder's."""
        return (latents / self.latent_scale - self.latent_bias).to(self.dtype)


def load_model(
    folder: Path,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    layer: MakeLayer = Linear,
) -> VibeVoiceModel:
    """A published folder in either layout. Raises `EngineUnavailable` for anything else."""
    config = read_config(folder / "config.json")
    with CheckpointWeights(folder, device=device, dtype=dtype, layer=layer) as weights:
        check_tensors(weights.names, config.layout)
        return VibeVoiceModel(weights, config)
