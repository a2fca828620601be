"""What goes wrong between this and the manager of services.

Imported by the command line for its exit codes, so it imports nothing of this room.
"""

from __future__ import annotations

from ttsops.errors import TtsOpsError


class ServiceError(TtsOpsError):
    """A service of the system that cannot be installed, removed or asked."""

    code = "service_failed"


class NoServiceManager(ServiceError):
    """Neither systemd nor launchd runs here."""

    code = "no_service_manager"
