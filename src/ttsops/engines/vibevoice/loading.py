"""From an `EngineConfig` to a loaded engine: weights, tokenizer, voices, and as many slots as memory has."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch

from ttsops.engines.contract import GUARD, EngineCard, EngineConfig
from ttsops.engines.nn.cuda_graphs import graphs_for
from ttsops.engines.nn.devices import (
    check_half,
    check_memory,
    free_bytes,
    pick_layer,
)
from ttsops.engines.nn.freed_memory import give_back_freed
from ttsops.engines.nn.linear import MakeLayer
from ttsops.engines.nn.qwen_tokenizer import HashedWords, QwenTokenizer, Tokenizer
from ttsops.engines.setup import lower_card, read_options
from ttsops.engines.vibevoice.card import CARD, VibeVoiceOptions
from ttsops.engines.vibevoice.engine import VibeVoiceEngine
from ttsops.engines.vibevoice.generate import RaggedForm, StepForm
from ttsops.engines.vibevoice.length import USUAL_FRAMES_PER_CHAR, LengthBound
from ttsops.engines.vibevoice.model import VibeVoiceModel, load_model
from ttsops.engines.vibevoice.number_format import pick_device_and_format
from ttsops.engines.vibevoice.random_model import FULL, SMALL, random_model
from ttsops.engines.vibevoice.recordings import (
    HummedRecordings,
    HumsUntilRecorded,
    LibraryRecordings,
    Recordings,
)
from ttsops.engines.vibevoice.shelf import MAX_PREFIX_POSITIONS, VoiceShelf
from ttsops.engines.vibevoice.slots import DialogueSlots
from ttsops.engines.vibevoice.static_form import StaticForm
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.cache import require
from ttsops.voices.library import VoiceLibrary

logger = logging.getLogger(__name__)

MEMORY_SHARE = 0.8
"""Of the memory that is free once the weights are loaded, what dialogues and prefixes may fill."""

CPU_MAX_STREAMS = 4
"""A processor is slower than playback with one already; more would only wait."""

LEAST_TOKENS = 75
"""Ten seconds, however short the text is."""

LEAST_RANDOM_TOKENS = 8


def create(config: EngineConfig) -> VibeVoiceEngine:
    """Raises `ConfigError` for options it does not take, `EngineUnavailable` if there is nothing to load."""
    options = read_options(CARD.name, config.options, VibeVoiceOptions)
    device, dtype = pick_device_and_format(config)
    check_half(dtype, device)
    if not options.random_weights:
        check_memory(_model_folder(options), config, device, dtype)
    if options.threads:
        torch.set_num_threads(options.threads)
    recordings = _recordings(options)
    default_voice = _default_voice(options, recordings)
    model, tokenizer = _parts(options, device, dtype, pick_layer(config, device, dtype))
    give_back_freed()
    n_positions = min(options.max_positions, model.config.language_model.max_position_embeddings)
    n_streams, bytes_each = _n_streams(model, config, n_positions)
    card = _card(config, options, default_voice, n_streams, bytes_each)
    slots = DialogueSlots(model, n_streams, n_positions)
    return VibeVoiceEngine(
        card,
        model,
        slots,
        VoiceShelf(model, tokenizer, recordings),
        _bound(options),
        _form(options, model, slots),
        is_live_anyway=options.live,
        simulates_live=options.simulate_live,
    )


def _form(options: VibeVoiceOptions, model: VibeVoiceModel, slots: DialogueSlots) -> StepForm:
    if options.step_form == "ragged" or (options.step_form == "auto" and model.device.type != "cuda"):
        return RaggedForm(model, slots)
    return StaticForm(model, slots, graphs_for(model.device))


def _parts(
    options: VibeVoiceOptions, device: torch.device, dtype: torch.dtype, layer: MakeLayer
) -> tuple[VibeVoiceModel, Tokenizer]:
    if options.random_weights:
        logger.warning("engine `%s` has random weights: it makes noise, not speech", CARD.name)
        sizes = FULL if options.random_weights == "full" else SMALL
        model = random_model(sizes, options.random_seed, device=device, dtype=dtype, layer=layer)
        return model, HashedWords(min(model.config.tokens.ids))
    folder = _model_folder(options)
    # Reading it takes a moment, the weights a minute: what is wrong should be known at once.
    tokenizer = QwenTokenizer(Path(options.tokenizer) if options.tokenizer else folder)
    model = load_model(folder, device=device, dtype=dtype, layer=layer)
    if tokenizer.n_ids > min(model.config.tokens.ids):
        raise EngineUnavailable(
            f"the tokenizer knows {tokenizer.n_ids} tokens; those of speech begin at "
            f"{min(model.config.tokens.ids)}",
            hint="set `tokenizer` to the folder of Qwen/Qwen2.5-1.5B's tokenizer",
        )
    return model, tokenizer


def _model_folder(options: VibeVoiceOptions) -> Path:
    if not options.model:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no weights",
            hint=f"`ttsops models pull 1.5B`, and set `model` to `1.5B` in `[engines.{CARD.name}.options]`",
        )
    return require(Path(options.model))


def _recordings(options: VibeVoiceOptions) -> Recordings:
    folder = options.voices_folder
    if folder is None:
        return HummedRecordings()
    recorded = LibraryRecordings(VoiceLibrary(folder))
    return HumsUntilRecorded(recorded) if options.random_weights else recorded


def _default_voice(options: VibeVoiceOptions, recordings: Recordings) -> str:
    ids = [voice.id for voice in recordings.voices()]
    if not ids:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no voices",
            hint="import a recording: `ttsops voice import --engine vibevoice … --to "
            f"{options.voices_folder}`",
        )
    if options.default_voice and options.default_voice not in ids:
        raise ConfigError(f"there is no voice `{options.default_voice}`", param="default_voice")
    return options.default_voice or ids[0]


def _bound(options: VibeVoiceOptions) -> LengthBound:
    if options.random_weights:
        return LengthBound(USUAL_FRAMES_PER_CHAR, LEAST_RANDOM_TOKENS, is_end=True)
    return LengthBound(options.max_frames_per_char, LEAST_TOKENS)


def _n_streams(model: VibeVoiceModel, config: EngineConfig, n_positions: int) -> tuple[int, int]:
    """How many dialogues there is room for, none of them ever short of memory; and the bytes of each."""
    slots = DialogueSlots(model, 1, n_positions)
    bytes_each = slots.bytes_per_stream
    bytes_kept = slots.cache.bytes_per_slot * MAX_PREFIX_POSITIONS // n_positions
    del slots
    n_free = int(free_bytes(model.device) * MEMORY_SHARE) - bytes_kept
    n_fitting = n_free // bytes_each
    if n_fitting < 1:
        raise EngineUnavailable(
            f"there is not memory for one dialogue of {n_positions} positions: it takes "
            f"{bytes_each / 2**20:.0f} MiB, and {bytes_kept / 2**20:.0f} MiB for voices; "
            f"{max(n_free + bytes_kept, 0) / 2**20:.0f} MiB are free for them",
            hint="lower `max_positions`, or free memory",
        )
    wanted = config.max_streams or (CPU_MAX_STREAMS if model.device.type == "cpu" else CARD.max_streams)
    if config.max_streams and n_fitting < wanted:
        logger.warning("max_streams is %d; there is memory for %d", wanted, n_fitting)
    return min(wanted, n_fitting, CARD.max_streams), bytes_each


def _card(
    config: EngineConfig,
    options: VibeVoiceOptions,
    default_voice: str,
    n_streams: int,
    bytes_per_stream: int,
) -> EngineCard:
    summary = CARD.summary
    if options.random_weights:
        summary = f"RANDOM WEIGHTS ({options.random_weights}): noise, not speech. {summary}"
    card = lower_card(
        CARD,
        config,
        summary=summary,
        default_voice=default_voice,
        bytes_per_stream=bytes_per_stream,
    )
    if options.random_weights:  # noise is all they make
        unguarded = tuple(replace(one, default="off") if one.name == GUARD else one for one in card.options)
        card = replace(card, options=unguarded)
    return replace(
        card, max_streams=min(card.max_streams, n_streams), max_batch=min(card.max_batch, n_streams)
    )
