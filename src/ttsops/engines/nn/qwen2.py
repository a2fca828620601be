"""Qwen2 decoder layers over slot caches: rows of many utterances, at different positions, in one pass.

Legend: N rows, C hidden size, H query heads, G key/value heads, D dimensions of a head.
The architecture is described in https://arxiv.org/abs/2407.10671, section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from ttsops.engines.nn.attention import Rope, Rows, rotate
from ttsops.engines.nn.kv_slots import KvSlots
from ttsops.engines.nn.layers import load_fused, load_linear, rms_norm
from ttsops.engines.nn.weights import Weights


@dataclass(frozen=True, slots=True)
class Qwen2Config:
    """Sizes of a stack, named as in the published `config.json`."""

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    max_position_embeddings: int
    rope_theta: float
    rms_norm_eps: float

    @property
    def head_dim(self) -> int:
        """Dimensions of one head."""
        return self.hidden_size // self.num_attention_heads


class Qwen2Layer:
    """Attention and feed-forward, each behind a norm and around a residual."""

    __slots__ = ("_config", "_down", "_feed_norm", "_gate_up", "_norm", "_out", "_qkv")

    def __init__(self, weights: Weights, prefix: str, config: Qwen2Config) -> None:
        hidden, kv_size = config.hidden_size, config.num_key_value_heads * config.head_dim
        attention, mlp = f"{prefix}.self_attn", f"{prefix}.mlp"
        qkv = [
            (f"{attention}.q_proj", hidden),
            (f"{attention}.k_proj", kv_size),
            (f"{attention}.v_proj", kv_size),
        ]
        gate_up = [
            (f"{mlp}.gate_proj", config.intermediate_size),
            (f"{mlp}.up_proj", config.intermediate_size),
        ]
        self._config = config
        self._norm = weights.take(f"{prefix}.input_layernorm.weight", hidden)
        self._qkv = load_fused(weights, qkv, hidden, has_bias=True)
        self._out = load_linear(weights, f"{attention}.o_proj", hidden, hidden, has_bias=False)
        self._feed_norm = weights.take(f"{prefix}.post_attention_layernorm.weight", hidden)
        self._gate_up = load_fused(weights, gate_up, hidden, has_bias=False)
        self._down = load_linear(
            weights, f"{mlp}.down_proj", config.intermediate_size, hidden, has_bias=False
        )

    def __call__(
        self, x: Tensor, keys: Tensor, values: Tensor, rows: Rows, rope: tuple[Tensor, Tensor]
    ) -> Tensor:
        """[N, C] → [N, C]; the new keys and values are written to their slots."""
        config = self._config
        n_heads, n_kv = config.num_attention_heads, config.num_key_value_heads
        qkv = self._qkv(rms_norm(x, self._norm, config.rms_norm_eps)).view(len(x), -1, config.head_dim)
        turned = rotate(qkv[:, : n_heads + n_kv], *rope)  # [N, H + G, D]
        keys[rows.slots, :, rows.positions] = turned[:, n_heads:]
        values[rows.slots, :, rows.positions] = qkv[:, n_heads + n_kv :]
        x = x + self._out(rows.attend(turned[:, :n_heads], keys, values))
        return x + self._feed_forward(rms_norm(x, self._feed_norm, config.rms_norm_eps))

    def _feed_forward(self, x: Tensor) -> Tensor:
        gate, up = self._gate_up(x).chunk(2, dim=-1)
        return self._down(functional.silu(gate) * up)


class Qwen2Stack:
    """Layers one after the other; knows nothing of tokens or embeddings."""

    __slots__ = ("_eps", "_layers", "_norm", "_rope", "config")

    def __init__(
        self, weights: Weights, prefix: str, config: Qwen2Config, n_layers: int, *, has_final_norm: bool
    ) -> None:
        self.config = config
        self._layers: Sequence[Qwen2Layer] = [
            Qwen2Layer(weights, f"{prefix}.layers.{i}", config) for i in range(n_layers)
        ]
        self._norm = weights.take(f"{prefix}.norm.weight", config.hidden_size) if has_final_norm else None
        self._eps = config.rms_norm_eps
        self._rope = Rope(config.head_dim, config.rope_theta, weights.device)

    @property
    def n_layers(self) -> int:
        """Layers, hence of its cache."""
        return len(self._layers)

    def __call__(self, x: Tensor, rows: Rows, cache: KvSlots) -> Tensor:
        """Hidden states [N, C] of `rows`, whose embeddings are `x` [N, C]."""
        rope = self._rope.at(rows.positions, x.dtype)
        for i, layer in enumerate(self._layers):
            keys, values = cache.layer(i)
            x = layer(x, keys, values, rows, rope)
        return x if self._norm is None else rms_norm(x, self._norm, self._eps)
