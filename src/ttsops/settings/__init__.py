"""One strict settings tree from a TOML file and the environment."""

from ttsops.settings.tree import EngineSettings, LogSettings, RuntimeSettings, ServerSettings, Settings

__all__ = ["EngineSettings", "LogSettings", "RuntimeSettings", "ServerSettings", "Settings"]
