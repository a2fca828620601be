"""One dialogue's way through its context: where it stands, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ttsops.engines.nn.noise import NoiseSource
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice.prompt import Prompt


@dataclass(slots=True)
class Track:
    """Positions count from the beginning of the context, the prompt included."""

    slot: int
    prompt: Prompt
    voices: Tensor | None
    """Rows [V, C] for the frames of all voices in the prompt, in order; None if they are read already."""

    sampling: Sampling
    noise: NoiseSource

    max_positions: int
    """Positions it may take."""

    max_tokens: int
    """Tokens it may choose: frames, and the marks around segments of speech."""

    is_guided: bool
    """Whether the negative branch is computed."""

    position: int = 0
    """Of the next row of the positive branch."""

    negative_position: int = 0
    """Of the negative branch, which reads speech only and begins anew with every segment of it."""

    n_voice_rows: int = 0
    """Rows of `voices` that were read."""

    has_frame: bool = False
    """The last frame was not listened to yet."""

    n_tokens: int = 0
    """Tokens chosen so far."""

    n_frames: int = 0
    """Frames made so far."""

    @property
    def n_unread(self) -> int:
        """Ids of the prompt that are not read yet."""
        return max(len(self.prompt.ids) - self.position, 0)

    @property
    def is_full(self) -> bool:
        """There is no place for another position, or no leave for another token."""
        return self.position >= self.max_positions or self.n_tokens >= self.max_tokens
