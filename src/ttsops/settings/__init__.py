"""One strict settings tree from a TOML file, the environment and the command line."""

from ttsops.settings.load import Loaded, load_settings, load_with_places
from ttsops.settings.tree import (
    AcceptOverrides,
    AcceptSettings,
    EngineSettings,
    HubSettings,
    LlmSettings,
    LogSettings,
    ModelSettings,
    MonitorSettings,
    RuntimeSettings,
    ServerSettings,
    Settings,
    VoiceSettings,
    WorkerSettings,
)

__all__ = [
    "AcceptOverrides",
    "AcceptSettings",
    "EngineSettings",
    "HubSettings",
    "LlmSettings",
    "Loaded",
    "LogSettings",
    "ModelSettings",
    "MonitorSettings",
    "RuntimeSettings",
    "ServerSettings",
    "Settings",
    "VoiceSettings",
    "WorkerSettings",
    "load_settings",
    "load_with_places",
]
