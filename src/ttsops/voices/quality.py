"""How good a recording is as a voice: figures that can be checked, and warnings from fixed thresholds.

Estimates, each with a limit of its own: the signal-to-noise ratio needs pauses to see the noise in, and says
nothing better than the pauses are; the bandwidth takes a dull voice for a dull recording; steady tones are
what `tones` says they are. A recording without a warning may still be a bad voice: listen to it.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct, structs

from ttsops.audio import resample
from ttsops.audio.checks import FULL_SCALE
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.pitch import median_pitch
from ttsops.voices.spectrum import FLOOR_DBFS, Powers, frame_levels, from_db, power_spectra, to_db
from ttsops.voices.tones import steady_share

FRAME_SECONDS, HOP_SECONDS = 0.02, 0.01
QUIET_SHARE = 0.1
"""The quietest tenth of all frames is taken for the noise."""

SPEECH_ABOVE_DB = 25.0
"""A frame is speech if it is at most so far below the loud ones (their 95th percentile) ..."""

SPEECH_ABOVE_NOISE_DB = 3.0
"""... and so far above the noise; without any such frame all of it is noise."""

BEST_SNR_DB = 80.0
"""Nothing better is told: pauses of digital silence were cut, not recorded."""

GOOD_SNR_DB, POOR_SNR_DB = 20.0, 10.0
CLIPPED_SHARE = 0.001
FLAT_RUN = 4
"""So many equal samples at the peak in a row are a wave that was cut off below full scale."""

SILENT_SHARE = 0.5
STEADY_SHARE = 0.1
QUIET_SPEECH_DBFS = -40.0
GOOD_BANDWIDTH_HZ = 5_000.0
BANDWIDTH_DB = 50.0
"""The highest frequency that lies at most so far below the loudest, of the mean spectrum."""

DC_OFFSET = 0.02
SHORT_SECONDS = 3.0


class Finding(Struct, frozen=True):
    """One thing that will be heard in the voice."""

    code: str
    """Stable: `noisy`, `clipped`, `silence`, `music`, `quiet`, `dull`, `offset`, `short`, `cut`."""

    text: str


class VoiceQuality(Struct, frozen=True, kw_only=True):
    """What a recording was like before it was levelled, silence at its ends cut away."""

    seconds: float
    sample_rate: Annotated[int, Meta(description="Hertz, of the recording")]
    peak_dbfs: float
    speech_dbfs: float
    """RMS of the frames in which somebody speaks."""

    noise_dbfs: float
    """RMS of the quietest tenth."""

    snr_db: float
    """Speech against noise, 0 to 80; the noise under the speech is taken out of it."""

    clipped_share: float
    """Of all samples, 0 to 1: at full scale, or in flat tops below it."""

    silent_share: float
    """Of the time, 0 to 1, in which nobody speaks."""

    steady_tone_share: float
    """Of the time, 0 to 1: see `tones`."""

    bandwidth_hz: float
    dc_offset: float
    pitch_hz: float | None
    """Median; None if nothing has a pitch."""

    findings: tuple[Finding, ...] = ()


def measure_voice(samples: Samples, sample_rate: int) -> VoiceQuality:
    """Of samples [N], N > 0, all finite. What lies above 12 kHz is not looked at but for clipping."""
    peak = float(np.abs(samples).max())
    clipped, seconds, source_rate = _clipped_share(samples, peak), len(samples) / sample_rate, sample_rate
    if sample_rate > SAMPLE_RATE:
        samples, sample_rate = resample(samples, sample_rate, SAMPLE_RATE), SAMPLE_RATE
    levels = frame_levels(samples, round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate))
    noise, is_speech = _noise_and_speech(levels)
    speech = _mean_db(levels[is_speech]) if is_speech.any() else noise
    clean = float(from_db(speech)) - float(from_db(noise))
    snr = float(to_db(clean)) - noise if clean > 0 else 0.0
    quality = VoiceQuality(
        seconds=round(seconds, 3),
        sample_rate=source_rate,
        peak_dbfs=round(float(to_db(peak**2)), 2),
        speech_dbfs=round(speech, 2),
        noise_dbfs=round(noise, 2),
        snr_db=round(min(BEST_SNR_DB, max(0.0, snr)), 1),
        clipped_share=round(clipped, 6),
        silent_share=round(1 - float(is_speech.mean()), 3),
        steady_tone_share=round(steady_share(samples, sample_rate), 3),
        bandwidth_hz=float(round(_bandwidth(samples, sample_rate))),
        dc_offset=round(float(np.mean(samples, dtype=np.float64)), 4),
        pitch_hz=_rounded(median_pitch(samples, sample_rate)),
    )
    return structs.replace(quality, findings=_findings(quality))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _noise_and_speech(levels: Powers) -> tuple[float, npt.NDArray[np.bool_]]:
    """The noise in dBFS, and which frames are speech [T]."""
    n_quiet = max(1, round(QUIET_SHARE * len(levels)))
    noise = _mean_db(np.sort(levels)[:n_quiet])
    loud = float(np.percentile(levels, 95))
    return noise, (levels > loud - SPEECH_ABOVE_DB) & (levels > noise + SPEECH_ABOVE_NOISE_DB)


def _mean_db(levels: Powers) -> float:
    return float(to_db(np.mean(from_db(levels))))


def _clipped_share(samples: Samples, peak: float) -> float:
    loudness = np.abs(samples)
    is_full = loudness >= FULL_SCALE
    is_top = loudness >= peak * (1 - 1e-4)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_top, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    runs = ends - starts
    flat = int(runs[runs >= FLAT_RUN].sum()) if peak else 0
    return max(int(np.count_nonzero(is_full)), flat) / len(samples)


def _bandwidth(samples: Samples, sample_rate: int) -> float:
    """Hertz: the highest that lies within `BANDWIDTH_DB` of the loudest, in the mean over time."""
    window = min(len(samples), 1024)
    mean = to_db(power_spectra(samples, window, max(1, window // 2)).mean(axis=0))
    heard = np.flatnonzero(mean > max(float(mean.max()) - BANDWIDTH_DB, FLOOR_DBFS))
    return float(heard[-1] * sample_rate / window) if len(heard) else 0.0


def _findings(quality: VoiceQuality) -> tuple[Finding, ...]:
    found = []
    if quality.snr_db < GOOD_SNR_DB:
        how = "is buried in" if quality.snr_db < POOR_SNR_DB else "has"
        found.append(
            Finding(
                "noisy", f"the voice {how} noise: {quality.snr_db:.0f} dB above it, {GOOD_SNR_DB:g} is clean"
            )
        )
    if quality.clipped_share > CLIPPED_SHARE:
        found.append(Finding("clipped", f"{quality.clipped_share:.1%} of the samples are clipped"))
    if quality.silent_share > SILENT_SHARE and quality.snr_db >= POOR_SNR_DB:  # else nobody knows
        found.append(Finding("silence", f"{quality.silent_share:.0%} of it is silence"))
    if quality.steady_tone_share > STEADY_SHARE:
        found.append(
            Finding(
                "music",
                f"{quality.steady_tone_share:.0%} of it has steady tones: music, a beep or a hum is behind "
                "the voice",
            )
        )
    if quality.speech_dbfs < QUIET_SPEECH_DBFS:
        found.append(
            Finding("quiet", f"the voice is at {quality.speech_dbfs:.0f} dBFS: raised, with its noise")
        )
    if quality.bandwidth_hz < GOOD_BANDWIDTH_HZ:
        found.append(
            Finding(
                "dull", f"nothing is heard above {quality.bandwidth_hz:.0f} Hz: the voice will sound dull"
            )
        )
    if abs(quality.dc_offset) > DC_OFFSET:
        found.append(Finding("offset", f"the mean is {quality.dc_offset:+.3f} of full scale, not 0"))
    if quality.seconds < SHORT_SECONDS:
        found.append(Finding("short", f"{quality.seconds:.1f} s are little to know a voice by"))
    return tuple(found)
