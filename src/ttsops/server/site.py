"""What every application on a socket has, the speech server and the agent alone: settings, keys, encoders."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.types import Scope

from ttsops.errors import Draining, TtsOpsError
from ttsops.server.encoding import EncoderPool
from ttsops.server.keys import KeyStore
from ttsops.server.quota import Quotas
from ttsops.settings import Settings


class SiteState:
    """One per application; lives as long as it."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Raises `ConfigError` for a key file that cannot be read."""
        self.settings = settings
        self.clock = clock
        self.keys = _load_keys(settings)
        self.quotas = Quotas()
        self.encoders = EncoderPool()
        self.started_at = time.time()
        self.is_leaving = False
        """Told to stop. Probes say so; requests are answered until it drains."""
        self.is_draining = False
        """Nothing new is taken; what was begun goes on."""
        self._warming: asyncio.Future[None] | None = None
        self._n_answering = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @property
    def uptime_seconds(self) -> float:
        """Since the application was made."""
        return time.time() - self.started_at

    def refused(self, path: str, error: TtsOpsError) -> None:
        """A request was turned away before anybody looked at what it asked for."""

    async def warm_up(self) -> None:
        """Pay the first call's costs of codecs and text rules; however often it is asked, once."""
        if self._warming is None:
            self._warming = asyncio.ensure_future(self.encoders.warm_up())
        await asyncio.shield(self._warming)

    # ---- what is going on --------------------------------------------------------------

    def began_answering(self) -> None:
        """An utterance is on its way to a listener. Every call needs an `ended_answering`."""
        self._n_answering += 1
        self._is_idle.clear()

    def ended_answering(self) -> None:
        """Its last byte was handed to the socket, or it broke off."""
        self._n_answering -= 1
        if not self._n_answering:
            self._is_idle.set()

    def check_can_begin(self) -> None:
        """Before a WebSocket is let in; raises what there is to say while nothing can begin on it.

        With a status, which a proxy understands: it asks another server, and no client notices. An error
        inside could be passed to nobody.
        """
        if self.is_draining:
            raise Draining("the server is stopping", hint="try another instance", retry_after=1.0)

    def promise(self, seconds: float) -> Promise:
        """Whoever was let in and has said nothing yet counts as being answered, for so long."""
        return Promise(self, seconds)

    async def wait_idle(self, limit_seconds: float) -> bool:
        """Until nobody is being answered; False if somebody still is when the limit has passed.

        Longer than the engines are busy: audio that is made may take minutes to be listened to.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_seconds):
                await self._is_idle.wait()
        return self._is_idle.is_set()


class Promise:
    """Kept for some seconds, or until `end`: what is begun meanwhile is answered, also in a drain."""

    def __init__(self, site: SiteState, seconds: float) -> None:
        self.is_kept = True
        self._site = site
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end)
        site.began_answering()

    def end(self) -> None:
        """It was kept, or is needed no more; may be called again."""
        if self.is_kept:
            self.is_kept = False
            self._timer.cancel()
            self._site.ended_answering()


def site_of(scope: Scope) -> SiteState:
    """The state of the application that handles `scope`, whichever it is."""
    site: SiteState = scope["app"].state.server
    return site


def _load_keys(settings: Settings) -> KeyStore | None:
    if not settings.server.keys_file:
        return None
    store = KeyStore(settings.server.keys_file)
    store.load()
    return store
