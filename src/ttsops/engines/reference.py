"""`docs/reference/engines.md`, written from the cards of the engines that come with tts-ops."""

from __future__ import annotations

from collections.abc import Sequence

from ttsops.engines import registry
from ttsops.engines.contract import EngineCard, OptionSpec


def engines_page() -> str:
    """The page: what there is to choose from, then each engine's options and voices."""
    cards = [(registry.card(spec.name), spec.install_command) for spec in registry.BUILTIN]
    rows = [
        f"| `{card.name}` | {card.summary} | {card.licence.split(';')[0].split(' (')[0]} | `{install}` |"
        for card, install in cards
    ]
    return "\n".join(
        [
            "# Engines",
            "",
            "What comes with tts-ops. `ttsops engines` lists those of plugins, too; how to add one is in",
            "[Engines](../engines.md). This page is written from the engines' cards by `make docs`.",
            "",
            "| engine | what it is | licence | install |",
            "|---|---|---|---|",
            *rows,
            *[line for card, _ in cards for line in _section(card)],
            "",
        ]
    )


def _section(card: EngineCard) -> list[str]:
    lines = ["", f"## {card.name}", "", f"{card.summary}.", "", f"Licence: {card.licence}.", ""]
    lines += [f"- {fact}" for fact in _facts(card)]
    if card.options:
        lines += ["", f"A request may carry, under `options`:{_table(card.options)}"]
    if card.setup:
        lines += ["", f"Its set-up, `[engines.{card.name}.options]`:{_table(card.setup)}"]
    if card.aliases:
        lines += ["", "| asked for | speaks as |", "|---|---|"]
        lines += [f"| `{alias}` | `{voice}` |" for alias, voice in card.aliases.items()]
    return lines


def _facts(card: EngineCard) -> list[str]:
    pieces = "is spoken as it is written" if card.takes_text_in_pieces else "is taken by whole sentences"
    factors = [name for name, has in (("speed", card.has_speed), ("pitch", card.has_pitch)) if has]
    return [
        f"Text that is still being written {pieces}; at most {card.max_text_chars} characters.",
        f"Up to {card.max_streams} streams at once, {card.max_batch} advanced by one step.",
        f"Changes of a request it applies: {', '.join(factors) or 'none'}.",
        f"Times of words: {_yes(card.gives_word_marks)}. Clones voices: {_yes(card.clones_voices)}. "
        f"Same seed, same samples: {_yes(card.deterministic)}.",
        *([_memory(card)] if card.bytes_per_stream else []),
        f"Speaks as `{card.default_voice}` unless asked otherwise. Its sample rate: {card.sample_rate} Hz.",
    ]


def _memory(card: EngineCard) -> str:
    each = f"{card.bytes_per_stream / 2**20:.0f} MiB"
    return f"Memory of a stream: {each}, unless set up otherwise; no more are let in than there is room for."


def _yes(is_true: bool) -> str:
    return "yes" if is_true else "no"


def _table(options: Sequence[OptionSpec]) -> str:
    lines = ["", "", "| option | kind | range | default | meaning |", "|---|---|---|---|---|"]
    for one in options:
        lines.append(f"| `{one.name}` | {one.kind} | {_range(one)} | `{one.default}` | {one.help} |")
    return "\n".join(lines)


def _range(option: OptionSpec) -> str:
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    low, high = option.minimum, option.maximum
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}".strip()
