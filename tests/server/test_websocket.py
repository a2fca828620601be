"""Text in pieces, speech out, over a real socket with the `websockets` client."""

import pytest
from server_site import Site
from socket_talker import CHAR_SECONDS, CODEC_SECONDS, STREAMED, Heard, talking

from ttsops.audio import decode_audio
from ttsops.speech import SAMPLE_RATE

pytestmark = pytest.mark.server

# ---- speaking --------------------------------------------------------------------------


async def test_text_in_pieces_is_one_audio(site: Site) -> None:
    pieces = ["The qui", "ck brown fox", " jumps over. And", " rests", "."]
    async with talking(site) as talker:
        for piece in pieces:
            await talker.say("input.text", text=piece)
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.kinds == ["audio.start", "audio.done", "session.done"]
    assert heard.seconds == pytest.approx(len("".join(pieces)) * CHAR_SECONDS, abs=0.05)
    start = heard.only("audio.start")
    assert (start["utterance_index"], start["sentence_index"], start["format"]) == (0, 0, "pcm")
    assert (start["sample_rate"], start["engine"], start["voice"]) == (SAMPLE_RATE, "tone", "middle")
    done = heard.only("audio.done")
    assert (done["total_bytes"], done["error"]) == (len(heard.audio), False)
    assert heard.only("session.done")["total_sentences"] == 1


async def test_speech_begins_before_the_text_ends(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="The first words are heard ")
        early = await talker.hear(until="audio")
        assert early.kinds == ["audio.start"]
        await talker.say("input.text", text="before the last are written.")
        await talker.say("input.done")
        assert (await talker.hear()).kinds == ["audio.done", "session.done"]


async def test_several_utterances_share_a_socket_and_each_is_counted(site: Site) -> None:
    async with talking(site) as talker:
        for index in range(3):
            await talker.say("input.text", text=f"Number {index} is said.")
            await talker.say("input.done")
        for index in range(3):
            heard = await talker.hear()
            assert {event["utterance_index"] for event in heard.events} == {index}
            assert heard.kinds == ["audio.start", "audio.done", "session.done"]


async def test_a_flush_speaks_what_is_there_and_the_audio_goes_on(site: Site) -> None:
    async with talking(site, STREAMED | {"marks": True}) as talker:
        await talker.say("input.text", text="no full stop")
        await talker.say("input.flush")
        first = Heard()
        while first.seconds < len("no full stop") * CHAR_SECONDS - 0.01:
            first.audio += (await talker.hear(until="audio")).audio
        await talker.say("input.text", text=" then more")
        await talker.say("input.done")
        rest = await talker.hear()
    assert rest.kinds[-2:] == ["audio.done", "session.done"]
    assert "audio.start" not in rest.kinds, "it is the same audio"
    marks = [mark for event in rest.events if event["type"] == "audio.marks" for mark in event["marks"]]
    assert [mark["text_start"] for mark in marks] == [13, 18], "counted from the beginning of the audio"
    assert marks[0]["start_seconds"] == pytest.approx(13 * CHAR_SECONDS, abs=0.001)


async def test_sentences_can_be_audios_of_their_own(site: Site) -> None:
    config = {"type": "session.config", "split_granularity": "sentence"}
    async with talking(site, config) as talker:
        await talker.say("input.text", text="One is here. Two is there. And three")
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.kinds == ["audio.start", "audio.done"] * 3 + ["session.done"]
    texts = [event["sentence_text"] for event in heard.events if event["type"] == "audio.start"]
    assert "".join(texts) == "One is here. Two is there. And three"
    assert heard.n_frames == 3, "a whole file for each"
    assert heard.only("session.done")["total_sentences"] == 3


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "aac", "flac"])
@pytest.mark.parametrize("stream_audio", [True, False])
async def test_every_format_is_whole(site: Site, name: str, stream_audio: bool) -> None:
    text = "A file is decoded at its end."
    config = {"type": "session.config", "response_format": name, "stream_audio": stream_audio}
    async with talking(site, config) as talker:
        await talker.say("input.text", text=text)
        await talker.say("input.done")
        heard = await talker.hear()
    samples, rate = decode_audio(bytes(heard.audio))
    assert len(samples) / rate == pytest.approx(len(text) * CHAR_SECONDS, abs=CODEC_SECONDS)
    assert (heard.n_frames == 1) or stream_audio


async def test_without_a_word_vllm_omnis_defaults_hold(site: Site) -> None:
    async with talking(site, {"type": "session.config"}) as talker:
        await talker.say("input.text", text="One file. All of it.")
        await talker.say("input.done")
        heard = await talker.hear()
    assert heard.only("audio.start")["format"] == "wav"
    assert heard.n_frames == 1
    assert int.from_bytes(heard.audio[4:8], "little") == len(heard.audio) - 8, "its true length"


async def test_marks_say_when_each_word_is_heard(site: Site) -> None:
    text = "Words have a time"
    async with talking(site, STREAMED | {"marks": True}) as talker:
        await talker.say("input.text", text=text)
        await talker.say("input.done")
        heard = await talker.hear()
    marks = [mark for event in heard.events if event["type"] == "audio.marks" for mark in event["marks"]]
    said = [text[mark["text_start"] : mark["text_start"] + mark["text_length"]] for mark in marks]
    assert said == text.split()
    times = [mark["start_seconds"] for mark in marks]
    assert times == pytest.approx([mark["text_start"] * CHAR_SECONDS for mark in marks], abs=0.001)


async def test_a_new_configuration_holds_from_the_next_utterance(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="First. ")
        await talker.say("session.config", voice="high")
        assert (await talker.hear(until="error")).only("error")["code"] == "bad_message"
        await talker.say("input.done")
        await talker.hear()
        await talker.configure(STREAMED | {"voice": "high"})
        await talker.say("input.text", text="Second.")
        await talker.say("input.done")
        assert (await talker.hear()).only("audio.start")["voice"] == "high"


async def test_nothing_to_say_is_an_utterance_without_audio(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text=" \n ")
        await talker.say("input.done")
        await talker.say("input.done")
        for index in range(2):
            heard = await talker.hear()
            assert heard.events == [
                {
                    "type": "session.done",
                    "utterance_index": index,
                    "total_sentences": 0,
                    "error": None,
                    "cancelled": False,
                }
            ]


async def test_close_says_the_rest_first(site: Site) -> None:
    async with talking(site) as talker:
        await talker.say("input.text", text="Say this.")
        await talker.say("input.done")
        await talker.say("session.close")
        heard = await talker.hear(until="never")
        assert heard.kinds == ["audio.start", "audio.done", "session.done"]
        assert talker.socket.close_code == 1000


async def test_fields_of_other_servers_are_named(site: Site) -> None:
    async with talking(site, STREAMED | {"task_type": "Base", "instructions": "Whisper."}) as talker:
        await talker.say("input.text", text="Hi there.")
        await talker.say("input.done")
        assert (await talker.hear()).only("audio.start")["ignored"] == ["task_type", "instructions"]
