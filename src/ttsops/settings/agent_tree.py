"""Settings of conversations: the language model that writes, and the agent that speaks with it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ttsops.settings.section import Section

INSTRUCTIONS = (
    "You are a voice assistant: what you write is spoken aloud at once. Answer in a few short, plain "
    "sentences. Begin with the answer itself. Use no lists, tables, headings or code unless you are asked."
)
"""What the model is told of its task where the operator says nothing else."""


class LlmSettings(Section, frozen=True):
    """The language model behind a conversation. Its key is never a setting: see docs/agent.md. `[llm]`."""

    provider: Annotated[
        Literal["", "openai", "anthropic", "local", "echo"],
        Meta(
            description="Who runs it: `local` is any server with OpenAI's chat API (Ollama, llama.cpp, "
            "vLLM), `echo` reads back what it is sent; empty for none"
        ),
    ] = ""
    model: Annotated[str, Meta(description="Its name there; `echo` needs none")] = ""
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://.+)?$",
            description="Address of its API, such as `http://127.0.0.1:11434/v1`; empty for the provider's "
            "own; `local` needs one",
            extra={"accepts": "an address that begins with `https://` or `http://`, or empty"},
        ),
    ] = ""
    key_file: Annotated[
        str,
        Meta(
            description="File that holds the API key and nothing else; empty for `LLM_API_KEY`, or "
            "`OPENAI_API_KEY` and `ANTHROPIC_API_KEY` for these two"
        ),
    ] = ""
    max_tokens: Annotated[int, Meta(ge=1, description="Tokens of one answer, at most")] = 1024
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(description="How much chance there is in it; not set: the model's own"),
    ] = None
    connect_seconds: Annotated[float, Meta(gt=0, description="For a connection to the provider")] = 5.0
    first_token_seconds: Annotated[
        float, Meta(gt=0, description="From the question to the first piece of the answer, retries included")
    ] = 20.0
    token_seconds: Annotated[float, Meta(gt=0, description="Longest pause within an answer")] = 15.0
    answer_seconds: Annotated[float, Meta(gt=0, description="A whole answer")] = 180.0
    max_retries: Annotated[
        int,
        Meta(
            ge=0, le=10, description="Tries after a failed one, with jitter, while nothing has been answered"
        ),
    ] = 2
    breaker_failures: Annotated[
        int, Meta(ge=1, description="Failures in a row after which it is left alone for a while")
    ] = 5
    breaker_seconds: Annotated[float, Meta(gt=0, description="For how long it is left alone")] = 10.0


class AgentSettings(Section, frozen=True):
    """Conversations: `/chat` in the server, or `ttsops agent` beside it. `[agent]`."""

    enabled: Annotated[bool, Meta(description="`ttsops serve` answers `/chat`, too")] = False
    host: Annotated[str, Meta(description="Address on which `ttsops agent` listens")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Its port; 0 picks a free one")] = 8080
    tts_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://.+$",
            description="The speech server that `ttsops agent` speaks through; its key is `TTSOPS_API_KEY`",
            extra={"accepts": "an address that begins with `https://` or `http://`"},
        ),
    ] = "http://127.0.0.1:8001"
    engine: Annotated[str, Meta(description="The engine that speaks; empty for the server's default")] = ""
    voice: Annotated[
        str, Meta(description="Who speaks when a request names nobody; empty for the engine's default")
    ] = ""
    language: Annotated[
        str, Meta(description="BCP 47 tag of the answers, for numbers and emoji; empty to follow the voice")
    ] = ""
    instructions: Annotated[
        str, Meta(description="What the language model is told before every conversation")
    ] = INSTRUCTIONS
    apology: Annotated[
        Literal["spoken", "plain"],
        Meta(description="What a listener gets when the model fails: a spoken sentence, or the error alone"),
    ] = "spoken"
    apology_text: Annotated[str, Meta(min_length=1, description="That sentence")] = (
        "Sorry, I cannot answer just now."
    )
    max_turns: Annotated[
        int, Meta(ge=1, description="Questions of a conversation that are remembered, with their answers")
    ] = 20
    max_chars: Annotated[int, Meta(ge=1, description="Characters of a conversation that are remembered")] = (
        16_000
    )
    max_conversations: Annotated[
        int, Meta(ge=1, description="Conversations that are remembered; the one longest silent goes first")
    ] = 1000
    expiry_seconds: Annotated[
        float, Meta(gt=0, description="A conversation in which nothing was said for so long is forgotten")
    ] = 3600.0
    database: Annotated[
        str, Meta(description="SQLite file that keeps conversations over a restart; empty for memory alone")
    ] = ""
