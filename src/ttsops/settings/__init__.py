"""One strict settings tree from a TOML file, the environment and the command line."""

from ttsops.settings.agent_tree import AgentSettings, LlmSettings
from ttsops.settings.load import Loaded, load_settings, load_with_places
from ttsops.settings.tree import (
    AcceptOverrides,
    AcceptSettings,
    EngineSettings,
    HubSettings,
    LogSettings,
    ModelSettings,
    MonitorSettings,
    RenderSettings,
    RuntimeSettings,
    ServerSettings,
    Settings,
    StudioSettings,
    TraceSettings,
    VoiceSettings,
    WorkerSettings,
)

__all__ = [
    "AcceptOverrides",
    "AcceptSettings",
    "AgentSettings",
    "EngineSettings",
    "HubSettings",
    "LlmSettings",
    "Loaded",
    "LogSettings",
    "ModelSettings",
    "MonitorSettings",
    "RenderSettings",
    "RuntimeSettings",
    "ServerSettings",
    "Settings",
    "StudioSettings",
    "TraceSettings",
    "VoiceSettings",
    "WorkerSettings",
    "load_settings",
    "load_with_places",
]
