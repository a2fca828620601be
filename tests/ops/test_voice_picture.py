"""The picture of a voice shows what is in it: every part is there, and the spectrogram can be read back."""

import base64
import io
from xml.etree import ElementTree as Xml

import av
import numpy as np
import pytest

from ttsops.ops.png import palette_png
from ttsops.ops.svg import WIDTH
from ttsops.ops.voice_picture import N_COLUMNS, N_ROWS, TOP_HZ, draw_voice
from ttsops.speech import Samples
from ttsops.voices.quality import measure_voice

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"
RATE = 24_000


def tone(hz: float, seconds: float = 2.0) -> Samples:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def pixels_of(png: bytes) -> np.ndarray:
    """[height, width, 3], as FFmpeg reads them."""
    with av.open(io.BytesIO(png)) as container:
        (frame,) = container.decode(video=0)
    return frame.to_ndarray(format="rgb24")


def spectrogram_of(picture: bytes) -> np.ndarray:
    (image,) = Xml.fromstring(picture).iter(f"{SVG}image")
    kind, _, data = image.attrib["href"].partition(",")
    assert kind == "data:image/png;base64"
    return pixels_of(base64.b64decode(data))


@pytest.mark.parametrize("hz", [500, 3_000, 9_000])
def test_a_tone_is_a_line_at_its_height(hz: int) -> None:
    pixels = spectrogram_of(draw_voice(tone(hz), "Voice", None))
    assert pixels.shape[0] == N_ROWS
    assert pixels.shape[1] <= N_COLUMNS
    darkest = pixels[:, 100].sum(axis=1).argmin()
    assert (N_ROWS - darkest - 0.5) * TOP_HZ / N_ROWS == pytest.approx(hz, abs=2 * TOP_HZ / N_ROWS)


def test_its_words_are_those_of_the_report() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    quality = measure_voice(noise, RATE)
    root = Xml.fromstring(draw_voice(noise, "Voice en-Alice_woman", quality))
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    assert "Voice en-Alice_woman" in texts
    assert any("recorded at 24000 Hz, SNR 0 dB" in text for text in texts)
    assert any("noisy" in text for text in texts)
    for title in ("waveform", "spectrogram, kHz", "level, dBFS", "seconds"):
        assert title in texts


def test_the_wave_and_the_level_are_where_the_sound_is() -> None:
    samples = np.concatenate([np.zeros(RATE, np.float32), tone(300, 1.0)])
    root = Xml.fromstring(draw_voice(samples, "Voice", None))
    (area,) = root.iter(f"{SVG}polygon")
    places = [tuple(map(float, point.split(","))) for point in area.attrib["points"].split()]
    left = [y for x, y in places if x < WIDTH * 0.45]
    right = [y for x, y in places if x > WIDTH * 0.6]
    assert max(left) - min(left) < 1 < 20 < max(right) - min(right)
    (curve,) = root.iter(f"{SVG}polyline")
    levels = [float(point.split(",")[1]) for point in curve.attrib["points"].split()]
    assert levels[10] > levels[-10] + 50, "silence is at the bottom"


@pytest.mark.parametrize("n_samples", [1, 100, 3_000, 30 * RATE])
def test_any_length_can_be_drawn_and_stays_small(n_samples: int) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, n_samples).astype(np.float32)
    picture = draw_voice(samples, "Voice", None)
    assert len(picture) < 150_000
    Xml.fromstring(picture)


def test_a_png_holds_its_pixels() -> None:
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    pixels = np.array([[0, 1, 2, 0], [2, 1, 0, 1]], np.uint8)
    np.testing.assert_array_equal(pixels_of(palette_png(pixels, colours)), colours[pixels])


@pytest.mark.parametrize("pixels", [np.zeros((0, 3), np.uint8), np.full((2, 2), 7, np.uint8)])
def test_pixels_without_a_colour_are_no_picture(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="colour"):
        palette_png(pixels, np.zeros((3, 3), np.uint8))
