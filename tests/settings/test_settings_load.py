"""Defaults, file, environment, command line: what wins, and that every documented name is read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ttsops.errors import ConfigError
from ttsops.settings import Settings, load_settings, load_with_places
from ttsops.settings.fields import Setting, all_settings, find_setting, parse_scalar
from ttsops.settings.names import OPERATOR_NAMES, OTHER_NAMES, key_of, systematic_name
from ttsops.settings.reference import environment_names, settings_page

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(autouse=True)
def empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def value_at(settings: Settings, key: tuple[str, ...]) -> Any:
    value: Any = settings
    for part in key:
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def test_nothing_given_is_the_defaults() -> None:
    assert load_settings(None, {}) == Settings()


def test_every_source_goes_before_the_one_below() -> None:
    Path("ttsops.toml").write_text("[server]\nport = 1\nhost = 'a'\nmax_text_chars = 7\n")
    env = {"TTSOPS_SERVER__PORT": "2", "TTSOPS_SERVER__HOST": "b"}
    settings = load_settings(None, env, {"server.port": 3, "server.host": None})
    assert (settings.server.port, settings.server.host, settings.server.max_text_chars) == (3, "b", 7)


def test_the_file_is_the_one_named_then_the_environments_then_the_directorys() -> None:
    for name in ("ttsops.toml", "env.toml", "named.toml"):
        Path(name).write_text(f"engine = '{name}'")
    env = {"TTSOPS_CONFIG": "env.toml"}
    assert load_settings(Path("named.toml"), env).engine == "named.toml"
    assert load_settings(None, env).engine == "env.toml"
    assert load_settings(None, {}).engine == "ttsops.toml"


def test_a_file_that_windows_wrote_is_read() -> None:
    Path("ttsops.toml").write_bytes(b"\xef\xbb\xbf[server]\r\nport = 80\r\n")
    assert load_settings(None, {}).server.port == 80


def test_engines_keep_the_files_order_and_may_say_nothing() -> None:
    Path("ttsops.toml").write_text(
        "[engines.tone]\n[engines.f5]\noptions = {nfe = 16}\n[runtime]\nfailover='espeak'"
    )
    settings = load_settings(None, {"TTSOPS_ENGINES__TONE__DEVICE": "cpu"})
    assert settings.served_engines == ("espeak", "tone", "f5")
    assert settings.engine_settings("tone").device == "cpu"
    assert settings.engine_settings("f5").options == {"nfe": 16}


def sample_text(setting: Setting) -> str:
    """A value that is accepted and not the default, as an operator would export it."""
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    if "https://" in setting.accepts:
        return "https://mirror.example"
    if "cuda" in setting.accepts:
        return "cuda:1"
    if setting.accepts.startswith("a number from 0 to "):
        return "0.25"
    if setting.accepts == "an integer from 0 to 10":
        return "7"
    if isinstance(setting.default, bool):
        return str(not setting.default).lower()
    return "4321" if "number" in setting.accepts or "integer" in setting.accepts else "something"


@pytest.mark.parametrize("setting", all_settings(), ids=lambda s: ".".join(s.key))
def test_every_documented_variable_is_read(setting: Setting) -> None:
    """A name that is documented and not read sends an operator hunting."""
    for name in environment_names(setting):
        env = {"TTS_MODEL_NAME": "name"} if name != "TTS_MODEL_NAME" else {}
        loaded = load_with_places(None, env | {name: sample_text(setting)})
        key = tuple({"NAME": "name", "OPTION": "option"}.get(part, part) for part in setting.key)
        read = str(value_at(loaded.settings, key)).strip("(),'")
        assert read.lower() in (sample_text(setting).lower(), "4321.0")
        assert loaded.places[key] == f"environment variable `{name}`"
        assert f"`{name}`" in settings_page()


def test_every_operators_name_is_a_settings_name() -> None:
    documented = {name for setting in all_settings() for name in environment_names(setting)}
    assert set(OPERATOR_NAMES) <= documented


@pytest.mark.parametrize("setting", all_settings(), ids=lambda s: ".".join(s.key))
def test_a_systematic_name_leads_back_to_its_setting(setting: Setting) -> None:
    assert find_setting(key_of(systematic_name(setting.key))) == setting


def test_every_setting_of_the_language_model_has_its_short_name() -> None:
    for setting in all_settings():
        if setting.key[0] == "llm":
            assert OPERATOR_NAMES[f"LLM_{setting.key[1].upper()}"] == setting.key


def test_variables_of_others_that_begin_alike_are_let_be() -> None:
    """Kubernetes sets these beside services called `llm` and `llm-model`; the others are other programs'."""
    names = ("LLM_SERVICE_HOST", "LLM_PORT", "LLM_PORT_80_TCP_ADDR", "LLM_MODEL_PORT", "LLM_USER_PATH")
    assert load_settings(None, dict.fromkeys(names, "tcp://10.0.0.1:80")) == Settings()
    assert load_settings(None, {"LLM_MAX_RETRY": ""}) == Settings()


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_password_in_an_address_that_is_refused_is_not_shown(where: str, tmp_path: Path) -> None:
    url = "ftp://anna:hun@ter2@llm.example/v1"
    file = tmp_path / "s.toml"
    file.write_text(f'[llm]\nbase_url = "{url}"\n' if where == "file" else "")
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {"LLM_BASE_URL": url} if where == "environment" else {})
    assert "ftp://***@llm.example/v1" in caught.value.message


def test_our_other_variables_are_no_mistake() -> None:
    settings = load_settings(None, dict.fromkeys(set(OTHER_NAMES) - {"TTSOPS_CONFIG"}, "1"))
    assert settings == Settings()


@pytest.mark.parametrize(
    ("env", "message", "hint"),
    [
        (
            {"TTSOPS_SERVER__PROT": "1"},
            "environment variable `TTSOPS_SERVER__PROT` sets nothing",
            "TTSOPS_SERVER__PORT",
        ),
        ({"TTSOPS_PORT": "1"}, "environment variable `TTSOPS_PORT` sets nothing", None),
        (
            {"LLM_MAX_RETRY": "1"},
            "environment variable `LLM_MAX_RETRY` sets nothing",
            "did you mean `LLM_MAX_RETRIES`?",
        ),
        (
            {"METRICS_PORT": "http"},
            "environment variable `METRICS_PORT` is `http`, must be an integer from 1 to 65535 "
            "(it sets `server.metrics_port`)",
            None,
        ),
        (
            {"TTS_DEVICE": "cuda:x"},
            "environment variable `TTS_DEVICE` is `cuda:x`, must be `auto`, `cpu`, `cuda:N` or `mps` "
            "(it sets `engines.espeak.device`)",
            None,
        ),
        ({"LLM_PROVIDER": "acme"}, "environment variable `LLM_PROVIDER` is `acme`", None),
    ],
)
def test_a_wrong_variable_is_told(env: dict[str, str], message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, env)
    assert message in caught.value.message
    assert (hint or "") in (caught.value.hint or "")


def test_variables_of_others_are_left_alone() -> None:
    assert load_settings(None, {"PATH": "/bin", "TTS_HOME": "x", "PORT": "y"}) == Settings()


def test_an_empty_variable_counts_as_not_set() -> None:
    """Compose files pass `${TTS_DEVICE:-}`."""
    assert (
        load_settings(None, {"TTS_DEVICE": "", "TTSOPS_SERVER__PORT": "", "TTSOPS_CONFIG": ""}) == Settings()
    )


def test_a_log_level_may_be_shouted() -> None:
    assert load_settings(None, {"LOG_LEVEL": "WARNING"}).log.level == "warning"


def test_a_list_is_separated_by_commas() -> None:
    settings = load_settings(None, {"TTSOPS_SERVER__CORS_ORIGINS": "http://a, http://b"})
    assert settings.server.cors_origins == ("http://a", "http://b")


def test_the_device_variable_is_about_the_default_engine() -> None:
    Path("ttsops.toml").write_text("engine = 'f5'\n[engines.f5]\ndevice = 'cpu'")
    env = {"TTS_DEVICE": "cuda:1"}
    assert load_settings(None, env).engine_settings("f5").device == "cuda:1", (
        "the environment goes before the file"
    )
    settings = load_settings(None, env | {"TTS_MODEL_NAME": "vibevoice"})
    assert settings.engine_settings("vibevoice").device == "cuda:1"
    assert settings.engine_settings("f5").device == "cpu"
    settings = load_settings(None, env | {"TTSOPS_ENGINES__F5__DEVICE": "mps"})
    assert settings.engine_settings("f5").device == "mps", "the systematic name goes first"
    assert load_settings(None, env, {"engine": "tone"}).engine_settings("tone").device == "cuda:1"


def test_a_dash_in_an_engines_name_is_an_underscore_in_the_environment() -> None:
    settings = load_settings(None, {"TTSOPS_ENGINES__VIBEVOICE_REALTIME__MAX_STREAMS": "8"})
    assert settings.engine_settings("vibevoice-realtime").max_streams == 8


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("7", 7),
        ("0.5", 0.5),
        ("-1e3", -1000.0),
        ("True", "True"),
        ("a b", "a b"),
    ],
)
def test_an_options_text_becomes_what_it_looks_like(text: str, value: object) -> None:
    assert parse_scalar(text) == value
    assert type(parse_scalar(text)) is type(value)
    settings = load_settings(None, {"TTSOPS_ENGINES__TONE__OPTIONS__X": text})
    assert settings.engine_settings("tone").options == {"x": value}


@pytest.mark.parametrize("setting", all_settings(), ids=lambda s: ".".join(s.key))
def test_every_setting_is_described(setting: Setting) -> None:
    assert len(setting.description.split()) >= 2
    assert not setting.description.endswith(".")
    assert setting.accepts


def test_the_settings_page_is_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), "run `make docs`"


def test_the_pages_example_is_accepted() -> None:
    example = settings_page().split("```toml\n")[1].split("```")[0]
    Path("ttsops.toml").write_text(example)
    assert load_settings(None, {}).engine_settings("tone").options == {"rtf": 0.5}


def test_settings_need_no_framework() -> None:
    code = "import sys, ttsops.settings; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"click", "rich", "fastapi", "uvicorn", "structlog", "prometheus_client", "torch"} & set(
        modules
    )
