"""From an `EngineConfig` to a loaded engine: weights, tokenizer, voices, and as many slots as memory has."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from ttsops.engines.contract import EngineCard, EngineConfig
from ttsops.engines.nn.cuda_graphs import graphs_for
from ttsops.engines.nn.devices import check_memory, free_bytes, pick_device, pick_layer
from ttsops.engines.nn.freed_memory import give_back_freed
from ttsops.engines.nn.linear import MakeLayer
from ttsops.engines.nn.qwen_tokenizer import HashedWords, QwenTokenizer, Tokenizer
from ttsops.engines.nn.weights import CheckpointWeights
from ttsops.engines.setup import lower_card, read_options
from ttsops.engines.vibevoice_realtime.card import CARD, PUBLISHED_VOICES, RealtimeOptions
from ttsops.engines.vibevoice_realtime.config import read_config
from ttsops.engines.vibevoice_realtime.engine import RealtimeEngine
from ttsops.engines.vibevoice_realtime.generate import RaggedForm, StepForm
from ttsops.engines.vibevoice_realtime.model import RealtimeModel
from ttsops.engines.vibevoice_realtime.number_format import pick_format
from ttsops.engines.vibevoice_realtime.random_model import FULL, SMALL, random_model, random_voices
from ttsops.engines.vibevoice_realtime.slots import StreamSlots
from ttsops.engines.vibevoice_realtime.static_form import StaticForm
from ttsops.engines.vibevoice_realtime.voice_state import VoiceState, load_voices
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.cache import require
from ttsops.speech import Voice

logger = logging.getLogger(__name__)

MEMORY_SHARE = 0.8
"""Of the memory that is free once the weights are loaded, what streams may fill."""

CPU_MAX_STREAMS = 16
"""A processor speaks for a few listeners at a time; more slots would only wait."""

MIN_POSITIONS = 64
"""Left of a context behind its voice."""

Voices = Mapping[str, tuple[Voice, VoiceState]]


def create(config: EngineConfig) -> RealtimeEngine:
    """Raises `ConfigError` for options it does not take, `EngineUnavailable` if there is nothing to load."""
    options = read_options(CARD.name, config.options, RealtimeOptions)
    device = pick_device(config)
    dtype = pick_format(config, device)
    layer = pick_layer(config, device, dtype)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.random_weights:
        model, tokenizer, voices = _random_parts(options, device, dtype, layer)
    else:
        check_memory(_model_folder(options), config, device, dtype)
        model, tokenizer, voices = _published_parts(options, device, dtype, layer)
    give_back_freed()
    vocab_size = model.config.language_model.vocab_size
    if tokenizer.n_ids > vocab_size:
        raise EngineUnavailable(
            f"the tokenizer knows {tokenizer.n_ids} tokens, the model {vocab_size}",
            hint="set `tokenizer` to the folder of Qwen/Qwen2.5-0.5B's tokenizer",
        )
    _check_voices(model, voices, options.max_positions)
    n_streams, bytes_per_stream = _n_streams(model, config, options.max_positions)
    slots = StreamSlots(model, n_streams, options.max_positions)
    card = _card(config, options, voices, n_streams, bytes_per_stream)
    return RealtimeEngine(card, model, slots, tokenizer, voices, _form(options, model, slots))


def _form(options: RealtimeOptions, model: RealtimeModel, slots: StreamSlots) -> StepForm:
    if options.step_form == "ragged" or (options.step_form == "auto" and model.device.type != "cuda"):
        return RaggedForm(model, slots)
    return StaticForm(model, slots, graphs_for(model.device))


def _model_folder(options: RealtimeOptions) -> Path:
    if not options.model:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no weights",
            hint="`ttsops models pull realtime`, and set `model` to `realtime` in "
            f"`[engines.{CARD.name}.options]`",
        )
    return require(Path(options.model))


def _published_parts(
    options: RealtimeOptions, device: torch.device, dtype: torch.dtype, layer: MakeLayer
) -> tuple[RealtimeModel, Tokenizer, Voices]:
    folder = _model_folder(options)
    sizes = read_config(folder / "config.json")
    with CheckpointWeights(folder, device=device, dtype=dtype, layer=layer) as weights:
        model = RealtimeModel(weights, sizes)
    voices_folder = options.voices_folder
    assert voices_folder is not None
    loaded = load_voices(voices_folder)
    if not loaded:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no voices",
            hint=f"import the published voice prompts: `ttsops voice import *.pt --to {voices_folder}`",
        )
    voices = {voice_id: (voice, state.to(device, dtype)) for voice_id, (voice, state) in loaded.items()}
    return model, QwenTokenizer(Path(options.tokenizer) if options.tokenizer else folder), voices


def _random_parts(
    options: RealtimeOptions, device: torch.device, dtype: torch.dtype, layer: MakeLayer
) -> tuple[RealtimeModel, Tokenizer, Voices]:
    logger.warning("engine `%s` has random weights: it makes noise, not speech", CARD.name)
    sizes = FULL if options.random_weights == "full" else SMALL
    model = random_model(sizes, options.random_seed, device=device, dtype=dtype, layer=layer)
    tokenizer = HashedWords(model.config.language_model.vocab_size)
    return model, tokenizer, random_voices(model, PUBLISHED_VOICES, options.random_seed)


def _check_voices(model: RealtimeModel, voices: Voices, max_positions: int) -> None:
    """A voice of another model would speak noise, one longer than a context would not fit."""
    sizes, config = model.config.language_model, model.config
    for voice_id, (_, state) in voices.items():
        for prefix, n_layers in (
            (state.text, config.n_text_layers),
            (state.speech, config.n_speech_layers),
            (state.negative, config.n_speech_layers),
        ):
            found = (*prefix.shape[:3], prefix.shape[4])
            if found != (n_layers, 2, sizes.num_key_value_heads, sizes.head_dim):
                raise EngineUnavailable(f"the voice `{voice_id}` was not made for this model")
        if state.speech.shape[3] + MIN_POSITIONS > max_positions:
            raise ConfigError(
                f"`max_positions` is {max_positions}; voice `{voice_id}` alone takes {state.speech.shape[3]}",
                param="max_positions",
            )


def _n_streams(model: RealtimeModel, config: EngineConfig, max_positions: int) -> tuple[int, int]:
    """How many streams there is room for, none of them ever short of memory; and the bytes of each."""
    bytes_each = StreamSlots(model, 1, max_positions).bytes_per_stream
    n_fitting = int(free_bytes(model.device) * MEMORY_SHARE) // bytes_each
    if not n_fitting:
        raise EngineUnavailable(
            f"there is not memory for one stream of {bytes_each / 2**20:.0f} MiB",
            hint="lower `max_positions`, or free memory",
        )
    wanted = config.max_streams or (CPU_MAX_STREAMS if model.device.type == "cpu" else CARD.max_streams)
    if config.max_streams and n_fitting < wanted:
        logger.warning("max_streams is %d; there is memory for %d", wanted, n_fitting)
    return min(wanted, n_fitting), bytes_each


def _card(
    config: EngineConfig, options: RealtimeOptions, voices: Voices, n_streams: int, bytes_per_stream: int
) -> EngineCard:
    if options.default_voice and options.default_voice not in voices:
        raise ConfigError(f"there is no voice `{options.default_voice}`", param="default_voice")
    preferred = CARD.default_voice if CARD.default_voice in voices else next(iter(voices))
    summary = CARD.summary
    if options.random_weights:
        summary = f"RANDOM WEIGHTS ({options.random_weights}): noise, not speech. {summary}"
    card = lower_card(
        CARD,
        config,
        summary=summary,
        default_voice=options.default_voice or preferred,
        languages=tuple(sorted({voice.language for voice, _ in voices.values() if voice.language})),
        aliases={name: voice_id for name, voice_id in CARD.aliases.items() if voice_id in voices},
        bytes_per_stream=bytes_per_stream,
    )
    return replace(
        card, max_streams=min(card.max_streams, n_streams), max_batch=min(card.max_batch, n_streams)
    )
