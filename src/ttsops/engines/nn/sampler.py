"""Denoising for a whole batch: utterances with their own guidance, number of steps and solver, side by side.

Legend: B utterances, K guidance branches (positive, and negative where used), n steps, C hidden size,
D latent size, M modulations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ttsops.engines.nn.diffusion_head import DiffusionHead
from ttsops.engines.nn.dpm_solver import Coefficients, Solver, coefficients, timesteps

Probe = Callable[[str, Tensor], None]
"""Sees intermediate tensors by name; for comparisons with recordings."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one utterance is sampled."""

    n_steps: int
    solver: Solver
    cfg_scale: float
    """s in v_negative + s · (v_positive - v_negative); 1 is no guidance."""

    @property
    def n_step_noise(self) -> int:
        """Rows of noise that the solver draws in each frame, beside its first sample."""
        return self.n_steps if self.solver == "sde-dpmsolver++" else 0


def solver_step(
    row: Tensor, x: Tensor, velocity: Tensor, previous: Tensor, noise: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The next sample and the predicted clean latent, each [B, D].

    `row` [6, B, 1] holds one step's `Coefficients` of every utterance.
    """
    alpha, sigma, cx, c0, c1, cn = row.unbind()
    clean = alpha * x - sigma * velocity
    x = torch.addcmul(torch.addcmul(cx * x, c0, clean), c1, previous)
    return (x if noise is None else torch.addcmul(x, cn, noise)), clean


def guided_velocity(
    head: DiffusionHead, x: Tensor, modulations: Tensor, guidance: Tensor, probe: Probe | None = None
) -> Tensor:
    """Velocity [B, D], fp32, of all branches together; `modulations` [K, B, M], `guidance` [B] is s - 1."""
    n_branches = len(modulations)
    rows = x.repeat(n_branches, 1).to(modulations.dtype)
    out = head.velocity(rows, modulations.flatten(0, 1)).float().view(n_branches, *x.shape)
    # v_positive + (s - 1) · (v_positive - v_negative): with s = 1 exactly the positive branch.
    velocity = out[0] if n_branches == 1 else torch.addcmul(out[0], guidance[:, None], out[0] - out[1])
    if probe:
        probe("head_out", out)
        probe("guided", velocity)
    return velocity


class Sampler:
    """Keeps the tables of each number of steps it has met. Samples are fp32, whatever the head is."""

    def __init__(self, head: DiffusionHead, device: torch.device) -> None:
        self._head = head
        self._device = device
        self._times: dict[int, Tensor] = {}
        self._tables: dict[tuple[int, Solver, int], Tensor] = {}

    def __call__(
        self,
        conditions: Tensor,
        wanted: Sequence[Sampling],
        noise: Tensor,
        step_noise: Tensor | None,
        probe: Probe | None = None,
    ) -> Tensor:
        """Latents [B, D] from `noise` [B, D], both fp32.

        `conditions` [K, B, C]; K is 1 if nobody is guided. Stochastic solvers need `step_noise` [n, B, D].
        """
        # The longest come first, so that those still running are always a prefix.
        order = sorted(range(len(wanted)), key=lambda b: -wanted[b].n_steps)
        if order == list(range(len(wanted))):
            return self._denoise(conditions, wanted, noise, step_noise, probe)
        index = torch.tensor(order, device=self._device)
        step_noise = None if step_noise is None else step_noise[:, index]
        sorted_latents = self._denoise(
            conditions[:, index], [wanted[b] for b in order], noise[index], step_noise, probe
        )
        return torch.empty_like(sorted_latents).index_copy_(0, index, sorted_latents)

    def _denoise(
        self,
        conditions: Tensor,
        wanted: Sequence[Sampling],
        x: Tensor,
        step_noise: Tensor | None,
        probe: Probe | None,
    ) -> Tensor:
        n_steps = [one.n_steps for one in wanted]
        table = torch.stack([self._table(one, n_steps[0]) for one in wanted], dim=2)  # [n, 6, B]
        guidance = torch.tensor([one.cfg_scale - 1 for one in wanted], device=self._device)
        modulations = self._modulations(conditions, n_steps)  # [n, K, B, M]
        latents = torch.empty_like(x)
        previous = torch.zeros_like(x)
        for i in range(n_steps[0]):
            n_active = sum(n > i for n in n_steps)
            if n_active < len(x):
                latents[n_active : len(x)] = x[n_active:]
                x, previous = x[:n_active], previous[:n_active]
            velocity = guided_velocity(
                self._head, x, modulations[i, :, :n_active], guidance[:n_active], probe
            )
            drawn = None if step_noise is None else step_noise[i, :n_active]
            x, previous = solver_step(table[i, :, :n_active, None], x, velocity, previous, drawn)
            if probe:
                probe("sample", x)
        latents[: len(x)] = x
        return latents

    def _modulations(self, conditions: Tensor, n_steps: Sequence[int]) -> Tensor:
        projected = self._head.condition(conditions)  # [K, B, C]
        if len(set(n_steps)) == 1:
            times = self._embedded_times(n_steps[0])[:, None, None]
        else:
            # Rows that end early get zeros for the steps they do not take.
            padded = [
                torch.nn.functional.pad(self._embedded_times(n), (0, 0, 0, n_steps[0] - n)) for n in n_steps
            ]
            times = torch.stack(padded, dim=1)[:, None]  # [n, 1, B, C]
        return self._head.modulations(projected, times)

    def _embedded_times(self, n_steps: int) -> Tensor:
        """[n, C]"""
        if n_steps not in self._times:
            at = torch.from_numpy(timesteps(n_steps)).to(self._device)
            self._times[n_steps] = self._head.embed_time(at)
        return self._times[n_steps]

    def _table(self, wanted: Sampling, n_rows: int) -> Tensor:
        """Coefficients, padded with zeros to `n_rows` steps [n, 6]."""
        key = (wanted.n_steps, wanted.solver, n_rows)
        if key not in self._tables:
            rows: list[Coefficients] = list(coefficients(wanted.n_steps, wanted.solver))
            rows += [Coefficients(0, 0, 0, 0, 0, 0)] * (n_rows - wanted.n_steps)
            self._tables[key] = torch.tensor(rows, device=self._device)
        return self._tables[key]
