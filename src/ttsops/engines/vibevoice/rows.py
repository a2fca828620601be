"""Which rows one pass of the language model has: planned in plain numbers before any tensor is touched.

A dialogue whose prompt is being read has the next piece of it; one that speaks has one row, its next input.
Who chooses a token in this pass has the same last row again in the negative branch: whether the token is a
frame is known only afterwards, and the row is overwritten by the next one if it is not.

The pass takes its rows from a pool: the pieces of all prompts, then one input of each dialogue that speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ttsops.engines.nn.kv_slots import Span
from ttsops.engines.vibevoice.track import Track


class Rows:
    """The plan of one pass over `tracks`."""

    def __init__(
        self,
        tracks: Sequence[Track],
        n_prompt_rows: int,
        audio_id: int,
        positive_slot: Callable[[int], int],
        negative_slot: Callable[[int], int],
    ) -> None:
        """At most `n_prompt_rows` of each prompt; `audio_id` stands for rows of voices."""
        self.prompt_ids: list[int] = []
        self.voice_at: list[int] = []
        """Where in `prompt_ids` rows of voices belong."""

        self.n_voice_rows: list[int] = []
        """How many of them each of `tracks` reads."""

        self.spans: list[Span] = []
        self.sources: list[int] = []
        """Where in the pool each row of `spans` comes from."""

        self.choosing: list[Track] = []
        """Who chooses a token after this pass."""

        self.last: list[int] = []
        """The last row of each of `choosing`."""

        self.negative_last: list[int] = []
        """The row of its negative branch; again the last one of who has none."""

        self.spoken_slots: list[int] = []
        """Whose next input is read."""

        self.n_read: list[int] = []
        """Rows of the positive branch of each of `tracks`."""

        n_pieces = sum(min(track.n_unread, n_prompt_rows) for track in tracks)
        for track in tracks:
            self._add(track, n_prompt_rows, audio_id, n_pieces, positive_slot)
        for i, track in enumerate(self.choosing):
            if track.is_guided:
                self.negative_last[i] = len(self.sources)
                self.spans.append(Span(negative_slot(track.slot), track.negative_position, 1))
                self.sources.append(self.sources[self.last[i]])

    def _add(
        self,
        track: Track,
        n_prompt_rows: int,
        audio_id: int,
        n_pieces: int,
        positive_slot: Callable[[int], int],
    ) -> None:
        ids = track.prompt.ids[track.position : track.position + n_prompt_rows]
        n_rows = len(ids) or 1
        first = len(self.prompt_ids) if ids else n_pieces + len(self.spoken_slots)
        voice_at = [first + i for i, one in enumerate(ids) if one == audio_id]
        self.voice_at += voice_at
        self.n_voice_rows.append(len(voice_at))
        self.prompt_ids += ids
        if not ids:
            self.spoken_slots.append(track.slot)
        self.spans.append(Span(positive_slot(track.slot), track.position, n_rows))
        self.sources += range(first, first + n_rows)
        self.n_read.append(n_rows)
        if track.n_unread <= len(ids):
            self.choosing.append(track)
            self.last.append(len(self.sources) - 1)
            self.negative_last.append(len(self.sources) - 1)
