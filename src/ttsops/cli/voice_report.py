"""What is known of voices, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from ttsops.voices.manifest import KeptReference, Manifest
from ttsops.voices.quality import (
    CLIPPED_SHARE,
    GOOD_BANDWIDTH_HZ,
    GOOD_SNR_DB,
    QUIET_SPEECH_DBFS,
    SILENT_SHARE,
    STEADY_SHARE,
    VoiceQuality,
)
from ttsops.voices.suits import unsuited


def described(manifest: Manifest) -> dict[str, Any]:
    """The manifest, and for each engine why it cannot speak as the voice (empty if it can)."""
    facts: dict[str, Any] = msgspec.to_builtins(manifest)
    return facts | {"unsuited": dict(unsuited(manifest))}


def print_list(manifests: Sequence[Manifest]) -> None:
    """A line for each, on stdout."""
    if not manifests:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("voice", "language", "seconds", "SNR dB", "suits", "heard in it"):
        table.add_column(name, justify="right" if name in ("seconds", "SNR dB") else "left")
    for one in manifests:
        quality = one.recording.quality if one.recording else None
        kept = one.recording or one.active
        table.add_row(
            one.id,
            one.language,
            f"{kept.seconds:.1f}" if kept else "",
            f"{quality.snr_db:.0f}" if quality else "",
            ", ".join(engine for engine, why in unsuited(one).items() if not why),
            ", ".join(finding.code for finding in quality.findings) if quality else "",
        )
    _print(table)


def print_report(manifest: Manifest) -> None:
    """All of one, on stdout."""
    click.echo("\n".join(_head(manifest)))
    if manifest.recording:
        click.echo()
        _print(_quality_table([("recording", manifest.recording.quality)]))
        for finding in manifest.recording.quality.findings:
            click.echo(f"  {finding.code}: {finding.text}")


def print_qualities(qualities: Sequence[tuple[str, VoiceQuality]]) -> None:
    """Side by side, on stdout."""
    _print(_quality_table(qualities))


def _quality_table(qualities: Sequence[tuple[str, VoiceQuality]]) -> Table:
    """A column for each, and beside them what is good."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name, _ in qualities:
        table.add_column(name, justify="right")
    table.add_column("good is")
    found = [quality for _, quality in qualities]
    for label, cells, good in _rows(found):
        table.add_row(label, *cells, good)
    return table


def _rows(found: Sequence[VoiceQuality]) -> Iterator[tuple[str, list[str], str]]:
    yield "seconds", [f"{one.seconds:.2f}" for one in found], "0.4 to 30; 2 to 12 for `f5`"
    yield "rate Hz", [f"{one.sample_rate}" for one in found], "16000 or more"
    yield "bandwidth Hz", [f"{one.bandwidth_hz:.0f}" for one in found], f"{GOOD_BANDWIDTH_HZ:.0f} or more"
    yield "SNR dB", [f"{one.snr_db:.1f}" for one in found], f"{GOOD_SNR_DB:g} or more"
    yield "speech dBFS", [f"{one.speech_dbfs:.1f}" for one in found], f"{QUIET_SPEECH_DBFS:g} or more"
    yield "noise dBFS", [f"{one.noise_dbfs:.1f}" for one in found], ""
    yield "peak dBFS", [f"{one.peak_dbfs:.1f}" for one in found], ""
    yield "clipped", [f"{one.clipped_share:.2%}" for one in found], f"at most {CLIPPED_SHARE:.1%}"
    yield "silence", [f"{one.silent_share:.0%}" for one in found], f"at most {SILENT_SHARE:.0%}"
    yield "steady tones", [f"{one.steady_tone_share:.0%}" for one in found], f"at most {STEADY_SHARE:.0%}"
    yield "pitch Hz", ["" if one.pitch_hz is None else f"{one.pitch_hz:.0f}" for one in found], ""


def _head(manifest: Manifest) -> Iterator[str]:
    consent = manifest.consent
    yield f"{manifest.id}: {manifest.name}, {manifest.language}, {manifest.gender}"
    yield f"licence     {manifest.licence or 'not said'}"
    yield f"consent     {consent.statement} (taken down {consent.recorded_at}, {consent.who})"
    for engine, why in unsuited(manifest).items():
        yield f"{engine:<11} {why or 'can speak as it'}"
    if manifest.recording:
        kept = manifest.recording
        yield f"recording   {kept.seconds:.2f} s at 24000 Hz, from {kept.source_name}"
        yield f"  sha256    {kept.sha256}"
    if manifest.active:
        yield f"speaks from {'its override' if manifest.override else 'its baseline'}"
    for what, reference in (("baseline", manifest.baseline), ("override", manifest.override)):
        if reference:
            yield from _reference_lines(what, reference)


def _reference_lines(what: str, kept: KeptReference) -> Iterator[str]:
    yield f"{what}    {kept.seconds:.2f} s, {kept.sample_rate} Hz, RMS {kept.rms:.3f}"
    yield f"  from      {kept.source_name}"
    yield f"  says      {kept.transcript}"
    yield f"  sha256    {kept.sha256}"
    if what == "override":
        yield f"  consent   {kept.consent.statement} (taken down {kept.consent.recorded_at})"
    for warning in kept.warnings:
        yield f"  warning   {warning}"


def _print(table: Table) -> None:
    Console(highlight=False, markup=False, soft_wrap=True, width=200).print(table)
