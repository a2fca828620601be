"""Which rows one pass of the language model has: planned in plain numbers before any tensor is touched.

The pass takes its rows from a pool: the last latents of all utterances that have one, then the new text of
all. An utterance's own rows are its latent and its text, in this order; the rows of the negative branches
follow, each with the same latent at its own position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ttsops.engines.nn.kv_slots import Span
from ttsops.engines.vibevoice_realtime.track import Track


class Rows:
    """The plan of one pass over `tracks`."""

    def __init__(
        self,
        tracks: Sequence[Track],
        positive_slot: Callable[[int], int],
        negative_slot: Callable[[int], int],
    ) -> None:
        """Slots of the two branches in the speech layers' cache come from the slot of a stream."""
        self._positive_slot = positive_slot
        spoken = [track for track in tracks if track.has_latent]
        self.latent_slots = [track.slot for track in spoken]
        """Utterances whose last latent is read."""

        self.text_ids: list[int] = []
        self.text_spans: list[Span] = []
        """Of the layers that read text only."""

        self.spans: list[Span] = []
        """Of the speech layers."""

        self.sources: list[int] = []
        """Where in the pool each row of `spans` comes from."""

        self.after_latent: list[int] = []
        """The row behind which each of `latent_slots` may end."""

        self.last: list[int] = []
        """The last row of each of `tracks` that has one."""

        self.last_slots: list[int] = []
        self.text_rows: list[int] = []
        self.negative: list[int] = []
        """Rows of negative branches."""

        self.negative_slots: list[int] = []
        for track in tracks:
            self._add(track, n_latents=len(spoken))
        for i, track in enumerate(spoken):
            if track.is_guided:
                self.negative.append(len(self.sources))
                self.negative_slots.append(track.slot)
                self.spans.append(Span(negative_slot(track.slot), track.negative_position, 1))
                self.sources.append(i)

    def _add(self, track: Track, n_latents: int) -> None:
        ids = track.windows.peek()
        n_rows = track.has_latent + len(ids)
        if not n_rows:
            return
        self.spans.append(Span(self._positive_slot(track.slot), track.speech_position, n_rows))
        if track.has_latent:
            self.sources.append(len(self.after_latent))
            self.after_latent.append(len(self.sources) - 1)
        if ids:
            first = n_latents + len(self.text_ids)
            self.text_spans.append(Span(track.slot, track.text_position, len(ids)))
            self.text_rows += range(len(self.sources), len(self.sources) + len(ids))
            self.sources += range(first, first + len(ids))
            self.text_ids += ids
        self.last.append(len(self.sources) - 1)
        self.last_slots.append(track.slot)
