"""From an `EngineConfig` to a loaded engine: weights, vocabulary, voices, and what the device can do."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch

from ttsops.engines.contract import EngineCard, EngineConfig, OptionSpec
from ttsops.engines.f5 import onnx_runtime
from ttsops.engines.f5.card import CARD, F5Options
from ttsops.engines.f5.checkpoint import find_vocab, load_model
from ttsops.engines.f5.config import F5Config
from ttsops.engines.f5.engine import F5Engine
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.planning import RECOMMENDED_FRAMES
from ttsops.engines.f5.random_model import FULL, SMALL, random_model
from ttsops.engines.f5.schedule import DEFAULT_SWAY, Schedule
from ttsops.engines.f5.tokens import Vocabulary
from ttsops.engines.f5.voices import HummedReferences, HumsUntilRecorded, References, VoiceShelf
from ttsops.engines.nn.compiled import compile_method
from ttsops.engines.nn.devices import (
    check_half,
    check_memory,
    free_bytes,
    pick_device,
    pick_dtype,
    pick_many_rows_layer,
)
from ttsops.engines.nn.freed_memory import give_back_freed
from ttsops.engines.nn.linear import Linear, MakeLayer
from ttsops.engines.setup import lower_card, read_options
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.models.cache import require
from ttsops.models.policy import INT8, dtypes_of
from ttsops.voices.library import VoiceLibrary

logger = logging.getLogger(__name__)

MEMORY_SHARE = 0.8
"""Of the memory that is free once the weights are loaded, what chunks in flight may fill."""

NFE_RANGE = (5, 64)

MODEL = "F5TTS_v1_Base"
"""Its name in the catalogue, which says in what format it runs where."""


def create(config: EngineConfig) -> F5Engine:
    """Raises `ConfigError` for options it does not take, `EngineUnavailable` if there is nothing to load."""
    options = read_options(CARD.name, config.options, F5Options)
    device = pick_device(config)
    dtype = pick_dtype(config, device, dtypes_of(MODEL))
    check_half(dtype, device)
    if options.model and not options.random_weights:
        check_memory(require(Path(options.model)), config, device, dtype)
    schedules = read_schedules(options.only_nfe)
    if options.threads:
        torch.set_num_threads(options.threads)
    model, vocabulary = _parts(options, device, dtype, pick_many_rows_layer(config, device))
    shelf = VoiceShelf(_references(options), model.mel)
    card = _card(config, options, shelf, schedules, model)
    if schedules:
        with torch.inference_mode():
            model.prepare(schedules)
        model.drop_modulation_weights()
    give_back_freed()
    if options.compile == "always" and config.dtype == INT8:
        raise ConfigError("8-bit layers cannot be compiled", hint="leave `compile` out", param="compile")
    if options.runtime == "onnx":
        onnx_runtime.set_up(model, options, config.dtype)
    elif options.compile == "always":
        logger.info("engine `%s` compiles its network: this takes minutes", CARD.name)
        compile_method(model.dit, "forward")
    return F5Engine(card, model, vocabulary, shelf, is_live_anyway=options.live)


def read_schedules(only_nfe: str) -> list[Schedule]:
    """`"7,16"` as schedules; none if it is empty. Raises `ConfigError`."""
    low, high = NFE_RANGE
    try:
        numbers = [int(part) for part in only_nfe.split(",") if part.strip()]
    except ValueError:
        numbers = [0]
    if not all(low <= number <= high for number in numbers):
        raise ConfigError(
            f"`only_nfe` is `{only_nfe}`, must be numbers from {low} to {high} with commas between them",
            param="only_nfe",
        )
    return [Schedule(number, DEFAULT_SWAY) for number in dict.fromkeys(numbers)]


def bytes_per_flow(config: F5Config) -> int:
    """Of the longest chunk in flight: its mel, its voice's, and two embedded texts, in fp32."""
    width = 2 * config.mel.n_mels + 2 * config.dit.text_dim
    return RECOMMENDED_FRAMES * width * torch.float32.itemsize


def load_weights(
    options: F5Options, device: torch.device, dtype: torch.dtype, layer: MakeLayer = Linear
) -> F5Model:
    """The model that `options` name. Raises `EngineUnavailable` if it cannot be had."""
    if options.random_weights:
        logger.warning("engine `%s` has random weights: it makes noise, not speech", CARD.name)
        sizes = FULL if options.random_weights == "full" else SMALL
        return random_model(sizes, options.random_seed, device=device, dtype=dtype, layer=layer)
    if not options.model:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no weights",
            hint=f"`ttsops models pull f5`, and set `model` to `f5` in `[engines.{CARD.name}.options]`",
        )
    vocoder = Path(options.vocoder) if options.vocoder else None
    return load_model(Path(options.model), vocoder, device=device, dtype=dtype, layer=layer)


def _parts(
    options: F5Options, device: torch.device, dtype: torch.dtype, layer: MakeLayer
) -> tuple[F5Model, Vocabulary]:
    model = load_weights(options, device, dtype, layer)
    if options.random_weights:
        return model, Vocabulary.of_ascii()
    path = Path(options.model)
    vocabulary = Vocabulary.read(Path(options.vocab) if options.vocab else find_vocab(path))
    if len(vocabulary) != model.config.dit.n_tokens:
        raise EngineUnavailable(
            f"the vocabulary has {len(vocabulary)} tokens, the model {model.config.dit.n_tokens}",
            hint="set `vocab` to the vocab.txt that came with the model",
        )
    return model, vocabulary


def _references(options: F5Options) -> References:
    folder = options.voices_folder
    if folder is None:
        return HummedReferences()
    library = VoiceLibrary(folder)
    return HumsUntilRecorded(library) if options.random_weights else library


def _card(
    config: EngineConfig,
    options: F5Options,
    shelf: VoiceShelf,
    schedules: list[Schedule],
    model: F5Model,
) -> EngineCard:
    ids = [voice.id for voice in shelf.voices()]
    if not ids:
        raise EngineUnavailable(
            f"engine `{CARD.name}` has no voices",
            hint=f"import a recording: `ttsops voice import --engine f5 … --to {options.voices_folder}`",
        )
    if options.default_voice and options.default_voice not in ids:
        raise ConfigError(f"there is no voice `{options.default_voice}`", param="default_voice")
    summary = CARD.summary
    if options.random_weights:
        summary = f"RANDOM WEIGHTS ({options.random_weights}): noise, not speech. {summary}"
    bytes_each = bytes_per_flow(model.config)
    n_fitting = int(free_bytes(model.device) * MEMORY_SHARE) // bytes_each
    if not n_fitting:
        raise EngineUnavailable(
            f"there is not memory for one chunk of {bytes_each / 2**20:.0f} MiB", hint="free memory"
        )
    card = lower_card(
        CARD,
        config,
        summary=summary,
        default_voice=options.default_voice or ids[0],
        bytes_per_stream=bytes_each,
        options=tuple(_with_default(option, schedules) for option in CARD.options),
    )
    # A batch takes as long as its chunks one after another on a CPU: there the most urgent goes alone.
    max_batch = 1 if model.device.type == "cpu" else card.max_batch
    return replace(
        card, max_batch=min(card.max_batch, max_batch), max_streams=min(card.max_streams, n_fitting)
    )


def _with_default(option: OptionSpec, schedules: list[Schedule]) -> OptionSpec:
    """Where its default number of steps is not offered, the first that is."""
    numbers = [schedule.n_steps for schedule in schedules]
    if option.name != "nfe" or not numbers or option.default in numbers:
        return option
    return replace(option, default=numbers[0])
