"""`ttsops engines`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ttsops.cli.output import print_json, warn
from ttsops.cli.verb import verb

if TYPE_CHECKING:
    from ttsops.engines.contract import EngineCard, OptionSpec


@verb("engines", examples=("ttsops engines", "ttsops engines espeak", "ttsops engines --json"))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def engines(name: str | None, as_json: bool) -> None:
    """List the engines.

    What each can do, whether it is installed, and its licence.

    With NAME, also the options it takes in a request and in the settings.
    """
    from ttsops.engines import registry

    for problem in registry.problems():
        warn(problem)
    cards = [registry.card(one) for one in ((name,) if name else registry.names())]
    if as_json:
        facts = [asdict(card) | {"installed": registry.is_installed(card.name)} for card in cards]
        print_json(facts[0] if name else facts)
        return
    for card in cards:
        click.echo("\n".join(_lines(card, is_complete=bool(name))) + "\n")


def _lines(card: EngineCard, *, is_complete: bool) -> Iterator[str]:
    from ttsops.engines import registry

    missing = registry.missing(card.name)
    yield f"{card.name}: {card.summary}"
    yield f"  licence: {card.licence}"
    yield f"  installed: {'yes' if missing is None else f'no; {missing.hint}'}"
    yield f"  {', '.join(_abilities(card))}"
    if card.bytes_per_stream:
        yield f"  memory of a stream: {card.bytes_per_stream / 2**20:.0f} MiB, unless set up otherwise"
    if is_complete:
        yield from _option_lines("options of a request (`--option NAME=VALUE`)", card.options)
        yield from _option_lines(f"options in the settings (`[engines.{card.name}.options]`)", card.setup)


def _abilities(card: EngineCard) -> Iterator[str]:
    n_languages = len(card.languages)
    if n_languages:
        yield ", ".join(card.languages) if n_languages <= 6 else f"{n_languages} languages"
    yield f"batches of up to {card.max_batch}" if card.max_batch > 1 else "one utterance at a time"
    for has_it, ability in (
        (card.takes_text_in_pieces, "text in pieces"),
        (card.has_speed, "speed"),
        (card.has_pitch, "pitch"),
        (card.gives_word_marks, "word times"),
        (card.clones_voices, "voice cloning"),
    ):
        if has_it:
            yield ability


def _option_lines(title: str, options: Sequence[OptionSpec]) -> Iterator[str]:
    yield f"  {title}: {'' if options else 'none'}".rstrip()
    for option in options:
        yield f"    {option.name} ({_accepts(option)}, default {option.default}): {option.help}"


def _accepts(option: OptionSpec) -> str:
    if option.choices:
        return " | ".join(option.choices)
    if option.minimum is not None or option.maximum is not None:
        low = "" if option.minimum is None else f"{option.minimum:g}"
        high = "" if option.maximum is None else f"{option.maximum:g}"
        return (
            f"{option.kind}, {low} to {high}"
            if low and high
            else f"{option.kind}, {'≥ ' + low if low else '≤ ' + high}"
        )
    return option.kind
