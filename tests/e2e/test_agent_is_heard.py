"""The words heard are the words written: a paced model, the agent, real speech, and a recogniser's ear."""

import asyncio
import base64
import io
import json
import re
import wave

import httpx
import pytest
from pocketsphinx import Decoder

from e2e.conftest import StartServer
from e2e.test_words_are_heard import SENTENCES, n_heard, recognise, words
from ttsops.speech import SAMPLE_RATE
from ttsops.testing.fake_llm import FakeLlm, Reply

pytestmark = pytest.mark.server

WRITTEN = """Well, **here** is what I found. The train leaves at 9 and costs $5.

```python
print("never spoken")
```

See [the plan](https://example.org/plan?id=7) for more 🙂. It isn't far; you'll walk."""
SPOKEN = """Well, here is what I found. The train leaves at nine and costs five dollars. Code block. See the
plan for more slightly smiling face. It isn't far; you'll walk."""
SETTINGS = """engine = "espeak"
llm = {{ provider = "local", model = "fake", base_url = "{url}/v1" }}
agent = {{ enabled = true, language = "en" }}
"""


def tokens_of(text: str) -> list[str]:
    """Cut as no word ends: into three characters."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


async def ask(url: str) -> tuple[str, list[str], bytes]:
    """What was written, the words that were spoken, and the audio."""
    body = {"text": "Well?", "stream_format": "sse", "response_format": "pcm"}
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        lines = (await http.post(f"{url}/chat", json=body)).text.splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert events[-1]["type"] == "turn.done"
    heard = [one for one in events if one["type"] == "audio.delta"]
    written = "".join(one["text"] for one in events if one["type"] == "text.delta")
    spoken = [word["text"] for one in heard for word in one.get("words", ())]
    return written, spoken, b"".join(base64.b64decode(one["audio"]) for one in heard)


def wav_of(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(pcm)
    return file.getvalue()


async def test_every_word_that_was_written_is_spoken_once(start_server: StartServer) -> None:
    async with FakeLlm(Reply(tokens_of(WRITTEN), token_seconds=0.01)) as llm:
        server = await asyncio.to_thread(start_server, SETTINGS.format(url=llm.url))
        written, spoken, audio = await ask(server.url)
        async with httpx.AsyncClient(base_url=server.url, timeout=20, trust_env=False) as http:
            whole = await http.post("/synthesize", json={"text": WRITTEN, "output_format": "pcm"})
            asked = await http.post("/chat", json={"text": "Well?", "response_format": "pcm"})
    assert words(" ".join(spoken)) == words(SPOKEN)
    assert written == WRITTEN
    # As long as the same text given whole, to the sample: nothing is lost or said twice. The voice's breath
    # is not the same twice; what the test signal makes of an answer is: see test_chat_http.
    assert len(audio) == len(asked.content) == len(whole.content)


async def test_a_recogniser_hears_the_answers(start_server: StartServer) -> None:
    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    n_said = n_found = 0
    replies = [Reply(re.findall(r"\S+\s*", sentence), token_seconds=0.005) for sentence in SENTENCES[:4]]
    async with FakeLlm(*replies) as llm:
        server = await asyncio.to_thread(start_server, SETTINGS.format(url=llm.url))
        for sentence in SENTENCES[:4]:
            _, _, audio = await ask(server.url)
            said = words(sentence)
            n_said += len(said)
            n_found += n_heard(said, await asyncio.to_thread(recognise, decoder, wav_of(audio)))
    print(f"heard {n_found} of {n_said} words ({n_found / n_said:.0%})")
    assert n_found / n_said >= 0.65
