"""Providers by their own packages, against a local server that speaks their protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ttsops.agent.llm import Llm
from ttsops.agent.providers import Message, Provider, create_provider
from ttsops.settings import LlmSettings
from ttsops.testing.fake_llm import FakeLlm

QUESTION = [Message("user", "How are you?")]


def llm_settings(provider: str, url: str, **more: object) -> LlmSettings:
    """`provider` at `url`, quick to give up."""
    path = "" if provider == "anthropic" else "/v1"
    given = {"max_retries": 0, "first_token_seconds": 5.0, "token_seconds": 5.0} | more
    return LlmSettings(provider=provider, model="fake", base_url=url + path, **given)  # type: ignore[arg-type]


@asynccontextmanager
async def provided(settings: LlmSettings) -> AsyncIterator[Provider]:
    provider = create_provider(settings, key="sk-secret-1234")
    try:
        yield provider
    finally:
        await provider.aclose()


async def ask(settings: LlmSettings) -> list[str]:
    async with provided(settings) as provider:
        return [piece async for piece in Llm(provider, settings).answer("Be brief.", QUESTION)]


@pytest.fixture(params=["openai", "anthropic", "local"])
def provider_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


__all__ = ["QUESTION", "FakeLlm", "ask", "llm_settings", "provided"]
