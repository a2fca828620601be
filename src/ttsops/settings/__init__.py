"""One strict settings tree from a TOML file, the environment and the command line."""

from ttsops.settings.load import Loaded, load_settings, load_with_places
from ttsops.settings.tree import (
    AcceptOverrides,
    AcceptSettings,
    EngineSettings,
    LlmSettings,
    LogSettings,
    MonitorSettings,
    RuntimeSettings,
    ServerSettings,
    Settings,
    VoiceSettings,
)

__all__ = [
    "AcceptOverrides",
    "AcceptSettings",
    "EngineSettings",
    "LlmSettings",
    "Loaded",
    "LogSettings",
    "MonitorSettings",
    "RuntimeSettings",
    "ServerSettings",
    "Settings",
    "VoiceSettings",
    "load_settings",
    "load_with_places",
]
