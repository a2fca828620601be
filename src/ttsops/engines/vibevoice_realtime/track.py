"""One utterance's way through one context: where it stands, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from ttsops.engines.nn.noise import NoiseSource
from ttsops.engines.nn.sampler import Sampling
from ttsops.engines.vibevoice_realtime.voice_state import VoiceState
from ttsops.engines.vibevoice_realtime.windows import TextWindows

FRAMES_PER_TOKEN = 6
TAIL_FRAMES = 45
"""Speech takes two to three frames per token; after six, and six seconds more, it is taken to have no end."""


@dataclass(slots=True)
class Track:
    """Positions count from the beginning of the context, the voice's own included."""

    slot: int
    sampling: Sampling
    noise: NoiseSource
    windows: TextWindows

    text_position: int
    speech_position: int
    negative_position: int

    max_positions: int
    """Speech positions it may take."""

    is_guided: bool
    """Whether the negative branch is computed."""

    ends_early: bool = False
    """An end of speech is believed though text is unread, as the published code does; words are lost then."""

    is_bounded: bool = True
    """Speech out of all proportion to its text is ended; the published code waits for the last position."""

    has_latent: bool = False
    """The last frame's latent was not read yet."""

    n_frames: int = 0
    """Frames made so far."""

    @property
    def n_new_positions(self) -> int:
        """Speech positions that the next frame needs: the last latent, and text at the head of a window."""
        return self.has_latent + len(self.windows.peek())

    @property
    def is_full(self) -> bool:
        """The next frame would need more positions than there are, or is one too many for the text."""
        return self.speech_position + self.n_new_positions > self.max_positions or self._is_rambling

    @property
    def _is_rambling(self) -> bool:
        n_allowed = FRAMES_PER_TOKEN * self.windows.n_read + TAIL_FRAMES
        return self.is_bounded and self.windows.is_all_read and self.n_frames >= n_allowed

    @property
    def may_end(self) -> bool:
        """Whether its last frame is believed to be the last if the classifier says so."""
        return self.has_latent and (self.ends_early or self.windows.is_all_read)

    def move_on(self) -> None:
        """Everything new was read: the last latent, and the text at the head of a window."""
        n_ids = len(self.windows.take())
        self.text_position += n_ids
        self.speech_position += self.has_latent + n_ids
        self.negative_position += self.has_latent and self.is_guided
        self.has_latent = False

    def count_frame(self) -> None:
        """A frame was made; its latent is to be read before the next."""
        self.windows.next_frame()
        self.has_latent = True
        self.n_frames += 1

    @property
    def n_step_noise(self) -> int:
        """Noise that the solver draws in each frame."""
        return self.sampling.n_step_noise


def new_track(
    slot: int, voice: VoiceState, sampling: Sampling, noise: NoiseSource, max_positions: int
) -> Track:
    """A track at the end of its voice. Without guidance the negative branch is left out: it has no weight."""
    return Track(
        slot=slot,
        sampling=sampling,
        noise=noise,
        windows=TextWindows(),
        text_position=voice.text.shape[3],
        speech_position=voice.speech.shape[3],
        negative_position=voice.negative.shape[3],
        max_positions=max_positions,
        is_guided=sampling.cfg_scale != 1.0,
    )
