"""A voice to look at: its waveform, its spectrogram and its level over time, as one SVG.

The spectrogram is a PNG inside of it. White noise shows as grey between the words, music as level lines,
clipping as a flat top, a telephone as emptiness above 4 kHz.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

import numpy as np

from ttsops.ops.png import Pixels, palette_png
from ttsops.ops.svg import GREY, LEFT, LIGHT, PANEL_HEIGHT, RIGHT, SOLID, TOP, WIDTH, Axis, Picture
from ttsops.speech import SAMPLE_RATE, Samples
from ttsops.voices.quality import VoiceQuality
from ttsops.voices.spectrum import frame_levels, power_spectra, to_db

GAP = 44
N_COLUMNS, N_ROWS = 480, 128
"""Pixels of the spectrogram, and columns of the waveform."""

SPECTRUM_RANGE_DB = 70.0
SPECTRUM_WINDOW = 1024
TOP_HZ = 12_000
LEVELS_DBFS = (-80.0, 0.0)
N_COLOURS = 24
"""Few: the picture stays small."""


def draw_voice(samples: Samples, title: str, quality: VoiceQuality | None) -> bytes:
    """Of samples [N] at 24 kHz, N > 0; `quality` is that of the recording before it was levelled."""
    seconds = len(samples) / SAMPLE_RATE
    facts, warning = _lines(quality)
    picture = Picture(3, title, facts, warning or f"{seconds:.1f} s", is_alarm=bool(warning))
    across = Axis([seconds], LEFT, WIDTH - RIGHT)
    across.top = seconds  # its right edge is the end of the recording, not the next round number
    _wave(picture, _frame(picture, 0, "waveform", across, ("-1", "0", "1")), samples)
    ticks = [f"{hz // 1000}" for hz in range(0, TOP_HZ + 1, TOP_HZ // 3)]
    _spectrogram(picture, _frame(picture, 1, "spectrogram, kHz", across, ticks), samples)
    levels = [f"{level:g}" for level in np.linspace(*LEVELS_DBFS, 5)]
    _levels(picture, _frame(picture, 2, "level, dBFS", across, levels), samples)
    return picture.finish("seconds")


def _lines(quality: VoiceQuality | None) -> tuple[str, str]:
    """Figures, and what will be heard in the voice."""
    if quality is None:
        return "imported before quality was measured", ""
    facts = (
        f"recorded at {quality.sample_rate} Hz, SNR {quality.snr_db:.0f} dB, speech "
        f"{quality.speech_dbfs:.0f} dBFS, clipped {quality.clipped_share:.2%}"
    )
    return facts, ", ".join(finding.code for finding in quality.findings)


def _frame(
    picture: Picture, number: int, title: str, across: Axis, ticks: Sequence[str]
) -> tuple[float, float]:
    """Title and axes of a panel; `ticks` from the bottom up, evenly. Where it begins and ends, in pixels."""
    top = TOP + number * (PANEL_HEIGHT + GAP)
    bottom = top + PANEL_HEIGHT
    for place, tick in zip(np.linspace(bottom, top, len(ticks)), ticks, strict=True):
        picture.line(LEFT, float(place), WIDTH - RIGHT, float(place), "#e4e4e4")
        picture.text(LEFT - 8, float(place) + 4, tick, anchor="end", colour=GREY)
    step = across.step if across.top >= 3 * across.step else across.step / 5
    for index in range(int(across.top / step) + 1):
        x = across.place(index * step)
        picture.line(x, bottom, x, bottom + 4, GREY)
        picture.text(x, bottom + 17, f"{index * step:g}", anchor="middle", colour=GREY)
    picture.text(LEFT, top - 7, title)
    return float(top), float(bottom)


def _wave(picture: Picture, frame: tuple[float, float], samples: Samples) -> None:
    """Least and largest sample of each column, as one area."""
    top, bottom = frame
    edges = np.linspace(0, len(samples), min(N_COLUMNS, len(samples)) + 1).astype(int)
    high = np.maximum.reduceat(samples, edges[:-1])
    low = np.minimum.reduceat(samples, edges[:-1])
    xs = np.linspace(LEFT, WIDTH - RIGHT, len(high))
    middle, reach = (top + bottom) / 2, (bottom - top) / 2
    there = [f"{x:.1f},{middle - reach * float(y):.1f}" for x, y in zip(xs, high, strict=True)]
    back = [f"{x:.1f},{middle - reach * float(y):.1f}" for x, y in zip(xs[::-1], low[::-1], strict=True)]
    Xml.SubElement(
        picture.root,
        "polygon",
        {"points": " ".join(there + back), "fill": SOLID, "stroke": SOLID, "stroke-width": "0.5"},
    )


def _spectrogram(picture: Picture, frame: tuple[float, float], samples: Samples) -> None:
    top, bottom = frame
    png = palette_png(_pixels(samples), _colours())
    Xml.SubElement(
        picture.root,
        "image",
        {
            "x": f"{LEFT}",
            "y": f"{top:.1f}",
            "width": f"{WIDTH - RIGHT - LEFT}",
            "height": f"{bottom - top:.1f}",
            "preserveAspectRatio": "none",
            "href": "data:image/png;base64," + base64.b64encode(png).decode(),
        },
    )


def _pixels(samples: Samples) -> Pixels:
    """[N_ROWS, N_COLUMNS], the highest frequency first."""
    samples = np.pad(samples, SPECTRUM_WINDOW // 2)
    hop = max(1, (len(samples) - SPECTRUM_WINDOW) // N_COLUMNS)
    powers = power_spectra(samples, SPECTRUM_WINDOW, hop)[:N_COLUMNS, 1:]
    rows = powers.reshape(len(powers), N_ROWS, -1).mean(axis=2).T[::-1]
    levels = to_db(rows)
    shade = 1 + (levels - levels.max()) / SPECTRUM_RANGE_DB
    return np.asarray(np.clip(shade, 0, 1) * (N_COLOURS - 1), np.uint8)


def _colours() -> Pixels:
    """From white over the blue of the curves to near black."""
    stops = np.array([[255, 255, 255], [143, 182, 222], [31, 95, 168], [10, 20, 50]])
    at = np.linspace(0, 1, len(stops))
    wanted = np.linspace(0, 1, N_COLOURS)
    return np.stack([np.interp(wanted, at, stops[:, i]) for i in range(3)], axis=1).astype(np.uint8)


def _levels(picture: Picture, frame: tuple[float, float], samples: Samples) -> None:
    top, bottom = frame
    window = max(1, len(samples) // N_COLUMNS)
    levels = frame_levels(samples, window, window)
    low, high = LEVELS_DBFS
    heights = (np.clip(levels, low, high) - low) / (high - low)
    xs = np.linspace(LEFT, WIDTH - RIGHT, len(levels))
    points = [f"{x:.1f},{bottom - (bottom - top) * y:.1f}" for x, y in zip(xs, heights, strict=True)]
    style = {"fill": "none", "stroke": SOLID, "stroke-width": "1"}
    Xml.SubElement(picture.root, "polyline", {"points": " ".join(points), **style})
    loud = float(np.percentile(heights, 95))
    quiet = float(np.percentile(heights, 5))
    for height in (loud, quiet):
        y = bottom - (bottom - top) * height
        picture.line(LEFT, y, WIDTH - RIGHT, y, LIGHT, dash="4 3")
