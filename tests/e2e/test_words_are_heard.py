"""Real speech from real text: a recogniser that never saw the sentences hears most of their words."""

import difflib
import re

import httpx
import numpy as np
import pytest
from pocketsphinx import Decoder

from e2e.conftest import StartServer
from ttsops.audio import decode_audio, resample

pytestmark = pytest.mark.server

SENTENCES = """
The old man walked slowly down to the river every morning.
She opened the window and looked at the snow in the garden.
We should meet again next week to talk about the new house.
The children were playing with a small dog near the school.
He bought some bread and milk on his way home from work.
Please close the door when you leave the room tonight.
The train to the city leaves in less than ten minutes.
My brother has been living in this country for many years.
They could not find the right answer to the first question.
A cold wind was blowing over the water all day long.
I think the best time to visit the mountains is early summer.
The doctor told her to rest and drink a lot of water.
You can see the whole town from the top of that hill.
There is a large green tree in front of my window.
Nobody knew what had happened to the money in the bank.
The teacher asked the students to read the last page again.
It will probably rain in the afternoon so take a coat.
His father used to tell him long stories before going to sleep.
The government will announce the plan for the coming year.
Most people like to listen to music when they are driving.
""".strip().splitlines()


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def n_heard(said: list[str], heard: list[str]) -> int:
    """Words of `said` found in `heard`, in order."""
    blocks = difflib.SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def recognise(decoder: Decoder, audio: bytes) -> list[str]:
    samples, rate = decode_audio(audio)
    # The recogniser divides by the energy of a frame: digital silence breaks it, a little dither does not.
    dither = np.random.default_rng(0).normal(0, 30 / 32768, 1 + len(samples) * 16_000 // rate)
    at_16k = resample(samples, rate, 16_000)
    noisy = at_16k + dither[: len(at_16k)]
    decoder.start_utt()
    decoder.process_raw((np.clip(noisy, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return words(hypothesis.hypstr) if hypothesis else []


def test_a_recogniser_hears_the_words_that_were_sent(start_server: StartServer) -> None:
    server = start_server('engine = "espeak"\n')
    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    n_said = n_found = n_found_elsewhere = 0
    for number, sentence in enumerate(SENTENCES):
        answer = httpx.post(
            f"{server.url}/v1/audio/speech",
            json={"model": "tts-1", "voice": "alloy", "input": sentence, "response_format": "wav"},
        )
        assert answer.status_code == 200, answer.text
        heard = recognise(decoder, answer.content)
        n_said += len(words(sentence))
        n_found += n_heard(words(sentence), heard)
        # The control: the same ear held against another sentence must not score.
        n_found_elsewhere += n_heard(words(SENTENCES[number - 7]), heard)
    print(
        f"heard {n_found} of {n_said} words ({n_found / n_said:.0%}), of another sentence {n_found_elsewhere}"
    )
    assert n_found / n_said >= 0.65
    assert n_found_elsewhere / n_said < 0.25
