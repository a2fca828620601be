from typing import Annotated

import pytest
from msgspec import Meta

from ttsops.engines import EngineConfig, OptionSpec
from ttsops.engines.setup import EngineOptions, describe_options, lower_card, read_options
from ttsops.engines.tone.card import CARD
from ttsops.errors import ConfigError

pytestmark = pytest.mark.unit


class Options(EngineOptions, frozen=True):
    pace: Annotated[float, Meta(ge=0, le=2, description="Seconds per word")] = 0.5
    count: int = 3
    is_loud: bool = False
    mood: str = "calm"


def test_options_become_the_engines_own_structure() -> None:
    assert read_options("e", {"pace": 1, "is_loud": True}, Options) == Options(pace=1.0, is_loud=True)


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"pase": 1.0}, "engine `e` has no option `pase`", "did you mean `pace`? accepted: `pace`"),
        ({"zzz": 1.0}, "engine `e` has no option `zzz`", "accepted: `pace`, `count`"),
        ({"pace": 2.5}, "option `pace` of engine `e` is 2.5: expected `float` <= 2.0", "Seconds per word"),
        ({"count": 1, "mood": 5}, "option `mood` of engine `e` is 5: expected `str`, got `int`", ""),
        ({"pace": "1"}, "option `pace` of engine `e` is '1': expected `float`, got `str`", "Seconds"),
        ({"is_loud": 1}, "option `is_loud` of engine `e` is 1: expected `bool`, got `int`", ""),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as e:
        read_options("e", options, Options)  # type: ignore[arg-type]
    assert message in e.value.message
    assert hint in (e.value.hint or "")


def test_options_describe_themselves() -> None:
    pace, count, is_loud, mood = describe_options(Options)
    assert pace == OptionSpec("pace", "float", "Seconds per word", 0.5, minimum=0, maximum=2)
    assert (count.kind, is_loud.kind, mood.kind, mood.default) == ("int", "bool", "str", "calm")


def test_the_operator_may_lower_a_limit_but_not_raise_it() -> None:
    lowered = lower_card(CARD, EngineConfig(max_batch=2, max_streams=10_000_000))
    assert (lowered.max_batch, lowered.max_streams) == (2, CARD.max_streams)
