"""Flows in flight: chunks of speech on their way from noise, each at its own time, moved one step together.

A flow may have its own length, number of steps, sway and guidance; it joins and leaves between steps. What it
becomes does not depend on its neighbours: padded frames are hidden from attention, and texts are embedded one
by one.

Legend: n frames, R rows, S steps, M modulations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.schedule import Schedule
from ttsops.errors import InvalidValue

MAX_FRAMES = 8192
"""The published table of text positions ends here: 87 seconds, reference included."""

NO_GUIDANCE = 1e-5
"""Weaker guidance is none, and costs no unconditional pass."""


@dataclass(slots=True)
class Flow:
    """One chunk being sampled. Drop it to cancel it: nothing else knows of it."""

    x: Tensor
    """What the noise has become [n, mels], fp32."""

    cond: Tensor
    """The voice's mel, then zeros [n, mels], in the network's format."""

    text: Tensor
    """The embedded text and, where guided, what stands for none [1 or 2, n, text]."""

    n_ref: int
    """Frames of the voice's mel."""

    times: tuple[float, ...]
    """S + 1 of them."""

    modulations: Tensor
    """Of each step [S, M]."""

    cfg_strength: float
    index: int = 0
    """Of the next step."""

    is_finite: bool = True
    """False once a number of it was not: it is not moved on, and has no mel."""

    @property
    def n_frames(self) -> int:
        """Reference and speech together."""
        return len(self.x)

    @property
    def n_steps(self) -> int:
        """From noise to speech."""
        return len(self.times) - 1

    @property
    def is_done(self) -> bool:
        """No step is left to take, or none can be taken."""
        return self.index >= self.n_steps or not self.is_finite

    @property
    def is_guided(self) -> bool:
        """Two rows in every step instead of one."""
        return len(self.text) > 1

    def mel(self) -> Tensor:
        """All frames [n, mels], those of the reference as they were given."""
        mel = self.x.clone()
        mel[: self.n_ref] = self.cond[: self.n_ref]
        return mel

    def speech(self) -> Tensor:
        """What is to be heard [n - n_ref + 1, mels]: the last frame of the reference leads into it."""
        return self.mel()[max(0, self.n_ref - 1) :]


def clamped_frames(n_frames: int, n_tokens: int, n_ref: int) -> int:
    """Frames a chunk gets that asks for `n_frames`: more than it has tokens, and than its reference has.

    Raises `InvalidValue` beyond `MAX_FRAMES`.
    """
    n_frames = max(n_frames, n_tokens + 1, n_ref + 1)
    if n_frames > MAX_FRAMES:
        raise InvalidValue(
            f"a chunk of {n_frames} frames; {MAX_FRAMES} are possible, its reference included",
            hint="split the text, or take a shorter reference",
        )
    return n_frames


def start_flow(
    model: F5Model,
    reference: Tensor,
    token_ids: Sequence[int],
    n_frames: int,
    schedule: Schedule,
    *,
    cfg_strength: float,
    seed: int = 0,
    noise: Tensor | None = None,
) -> Flow:
    """A flow at its first step.

    `reference` is the voice's mel [n_ref, mels]; `token_ids` are its words, then the text. `n_frames`,
    reference included, may be made more by `clamped_frames`. The noise is drawn on the CPU from `seed` alone,
    so that it is the same on every device, unless it is given: `noise` [n, mels].
    Raises `InvalidValue` for a chunk that is too long, a schedule that cannot be had, noise of another shape.
    """
    n_frames = clamped_frames(n_frames, len(token_ids), len(reference))
    shape = (n_frames, reference.shape[1])
    if noise is None:
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    if noise.shape != shape:
        raise InvalidValue(f"noise of shape {list(noise.shape)} for a mel of {list(shape)}")
    cond = torch.zeros(shape, device=model.device, dtype=model.dtype)
    cond[: len(reference)] = reference.to(cond)
    return Flow(
        x=noise.to(model.device, torch.float32, copy=True),
        cond=cond,
        text=model.text(token_ids, n_frames, is_guided=cfg_strength >= NO_GUIDANCE),
        n_ref=len(reference),
        times=tuple(schedule.times().tolist()),
        modulations=model.modulations.table(schedule),
        cfg_strength=cfg_strength,
    )


def advance(model: F5Model, flows: Sequence[Flow], *, together: bool | None = None) -> None:
    """One step for each flow that is not done. One that stops being finite is marked, its neighbours go on.

    `together` makes one batch of them; by default everywhere but on a CPU, where a batch takes as long as its
    flows one after another, and padding more.
    """
    running = [flow for flow in flows if not flow.is_done]
    if together is None:
        together = model.device.type != "cpu"
    for batch in [running] if together else [[flow] for flow in running]:
        if batch:
            _step(model, batch)


def velocity(model: F5Model, flows: Sequence[Flow]) -> tuple[Tensor, Tensor]:
    """The next step's velocities with and without text and voice, each [len(flows), longest, mels], fp32.

    Rows of the second are zero for flows that are not guided.
    """
    is_guided = [flow.is_guided for flow in flows]
    guided = [flow for flow in flows if flow.is_guided]
    rows = [*flows, *guided]
    x = pad_sequence([flow.x for flow in rows], batch_first=True).to(model.dtype)
    cond = pad_sequence([flow.cond for flow in flows], batch_first=True)
    cond = torch.cat((cond, torch.zeros_like(cond[: len(guided)])))
    texts = [flow.text[0] for flow in flows] + [flow.text[1] for flow in guided]
    modulations = torch.stack([flow.modulations[flow.index] for flow in rows])
    text = pad_sequence(texts, batch_first=True)
    if len(flows) == 1 and model.device.type == "cpu":
        # Its rows take as long one after the other, and half the memory.
        one = [slice(i, i + 1) for i in range(len(rows))]
        out = torch.cat([model.dit.forward(x[i], cond[i], text[i], modulations[i], None) for i in one])
    else:
        out = model.dit.forward(x, cond, text, modulations, _mask(rows, model.device))
    out = out.float()
    conditional = out[: len(flows)]
    if len(guided) == len(flows):
        return conditional, out[len(flows) :]
    unconditional = torch.zeros_like(conditional)
    unconditional[torch.tensor(is_guided, device=model.device)] = out[len(flows) :]
    return conditional, unconditional


def _mask(rows: Sequence[Flow], device: torch.device) -> Tensor | None:
    """True where a row has a frame [R, longest]; None if all are as long."""
    lengths = [row.n_frames for row in rows]
    if len(set(lengths)) == 1:
        return None
    return torch.arange(max(lengths), device=device) < torch.tensor(lengths, device=device)[:, None]


def _step(model: F5Model, flows: Sequence[Flow]) -> None:
    conditional, unconditional = velocity(model, flows)
    strengths = [flow.cfg_strength if flow.is_guided else 0.0 for flow in flows]
    if any(strengths):
        strength = torch.tensor(strengths, device=model.device)[:, None, None]
        conditional = torch.addcmul(conditional, strength, conditional - unconditional)
    # Differences of fp32 times, taken in fp32: the recorded steps are these.
    times = torch.tensor([flow.times[flow.index : flow.index + 2] for flow in flows]).to(model.device)
    advanced = [
        torch.addcmul(flow.x, dt, v[: flow.n_frames])
        for flow, dt, v in zip(flows, times[:, 1] - times[:, 0], conditional, strict=True)
    ]
    are_finite = torch.stack([x.isfinite().all() for x in advanced]).tolist()
    for flow, x, is_finite in zip(flows, advanced, are_finite, strict=True):
        flow.x, flow.is_finite = x, is_finite
        flow.index += 1
