"""A script as it is rendered: turns of speakers, and headings that are chapters. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ttsops.errors import EmptyText, InvalidValue
from ttsops.text import TextOptions, make_speakable, read_script, read_turns
from ttsops.text.script import Turn

HEADING = "# "
"""A line that begins so names a chapter and is not said."""

N_LISTED = 8
"""Lines named in an error."""


@dataclass(frozen=True, slots=True)
class RenderScript:
    """What is said, by whom, in order."""

    turns: tuple[Turn, ...]

    chapters: Mapping[int, str]
    """Index of the turn it begins with → title; of several before one turn, the last."""

    @property
    def speakers(self) -> tuple[int, ...]:
        """Everybody who speaks, in ascending order of their numbers."""
        return tuple(sorted({turn.speaker for turn in self.turns}))

    @property
    def n_chars(self) -> int:
        """Characters that are said."""
        return sum(len(turn.text) for turn in self.turns)


def read_render_script(text: str) -> RenderScript:
    """Lines `Speaker 1: …`, or paragraphs of one speaker; headings before and between them.

    Raises `EmptyText`, and `InvalidValue` for lines of nobody among turns: they would be lost.
    """
    sections: list[tuple[str, list[str]]] = [("", [])]
    numbers: list[list[int]] = [[]]
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(HEADING) and line[len(HEADING) :].strip():
            sections.append((line[len(HEADING) :].strip(), []))
            numbers.append([])
        else:
            sections[-1][1].append(line)
            numbers[-1].append(number)
    is_dialogue = any(read_turns("\n".join(lines))[0] for _, lines in sections)
    turns: list[Turn] = []
    chapters: dict[int, str] = {}
    unread: list[int] = []
    for (title, lines), at in zip(sections, numbers, strict=True):
        if title:
            chapters[len(turns)] = title
        if is_dialogue:
            found, missed = read_turns("\n".join(lines))
            unread += [at[number - 1] for number in missed]
            turns += [turn for turn in found if turn.text]
        else:
            turns += read_script("\n".join(lines)).turns
    _refuse_unread(unread)
    if not turns:
        raise EmptyText("there is nothing to say in the script", param="script")
    return RenderScript(tuple(turns), {at: title for at, title in chapters.items() if at < len(turns)})


def _refuse_unread(lines: Sequence[int]) -> None:
    if lines:
        shown = ", ".join(map(str, lines[:N_LISTED])) + (", …" if len(lines) > N_LISTED else "")
        raise InvalidValue(
            f"lines {shown} of the script do not say who speaks",
            hint="begin each line with `Speaker 1:`, or none; a chapter's title with `# `",
            param="script",
        )


def speakable(script: RenderScript, language: str, options: TextOptions) -> RenderScript:
    """The same with numbers, Markdown and emoji as words. A turn of which nothing is left keeps its place."""
    turns = tuple(
        Turn(turn.speaker, make_speakable(turn.text, language, options).strip()) for turn in script.turns
    )
    return RenderScript(turns, script.chapters)
