"""Replicas on a Ray cluster that runs already, behind a proxy on each of its machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import ray
from ray import serve
from ray.serve.config import BackpressureConfig, ProxyLocation

from ttsops.cluster.connection import connected, knock
from ttsops.cluster.replica import SpeechReplica
from ttsops.engines import registry
from ttsops.errors import ConfigError, EngineUnavailable
from ttsops.settings import ServerSettings, Settings

APPLICATION = "tts-ops"
DEPLOYMENT = "speech"

TARGET_SHARE = 0.7
"""Of a replica's places: above it another replica is asked for, which takes as long as an engine loads."""

RETRY_AFTER_SECONDS = 1.0
"""Of Ray's own 429. The application's is measured; the proxy, which turns away here, measures nothing."""

MAX_STARTS = 3
"""Of a replica whose engine does not load, before the deployment is given up."""

SCALE_UP_SECONDS = 10.0
SCALE_DOWN_SECONDS = 300.0
"""A load that lasts so long before replicas are added or taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many replicas, and what each of them is given."""

    min_replicas: int = 1
    max_replicas: int = 1
    gpus: float = 0.0
    """Of a machine, for each replica."""

    cpus: float = 1.0
    places: int | None = None
    """Requests of a replica at once, an open WebSocket being one; None for its engine's streams."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """How a deployment is."""

    application: str
    """`RUNNING`, `DEPLOYING`, `UNHEALTHY`, …; `NOT_STARTED` if there is none."""

    message: str
    replicas: Mapping[str, int]
    """State → how many are in it."""

    proxies: Mapping[str, str]
    """Address of a machine → how its proxy is."""


def deploy(address: str, settings: Settings, plan: Plan) -> str:
    """Replicas, or new ones in place of the old; the address of this machine's proxy when they can speak.

    Raises `EngineUnavailable` without a cluster, and when no replica could be started; `ConfigError` for an
    address that the proxies cannot have any more; and as `application`.
    """
    app = application(settings, plan)
    server = settings.server
    http_options = {"host": server.host, "port": server.port}
    with connected(address):
        serve.start(proxy_location=ProxyLocation.EveryNode, http_options=http_options)
        try:
            serve.run(app, name=APPLICATION, route_prefix="/")
        except RuntimeError as e:
            raise EngineUnavailable(f"no replica could be started: {_status().message or e}") from e
        _check_proxy(server)
    return f"http://{server.host}:{server.port}"


def application(settings: Settings, plan: Plan) -> Any:
    """What `serve.run` takes. Raises `ConfigError` for settings that only a single server can keep."""
    _check(settings)
    n_places = places(settings, plan)
    options: dict[str, Any] = {
        "name": DEPLOYMENT,
        "ray_actor_options": {"num_cpus": plan.cpus, "num_gpus": plan.gpus},
        # A place for each stream: with more, one replica would have callers in line while another is free.
        "max_ongoing_requests": n_places,
        # Ray counts in line, for a moment, also those who come at once to places that are free.
        "max_queued_requests": settings.runtime.max_queue + plan.max_replicas * n_places,
        "backpressure_config": BackpressureConfig(status_code=429, retry_after_s=RETRY_AFTER_SECONDS),
        "graceful_shutdown_timeout_s": settings.runtime.drain_seconds,
        "max_constructor_retry_count": MAX_STARTS,
    }
    if plan.max_replicas > plan.min_replicas:
        options["autoscaling_config"] = {
            "min_replicas": plan.min_replicas,
            "max_replicas": plan.max_replicas,
            "target_ongoing_requests": max(1.0, TARGET_SHARE * n_places),
            "upscale_delay_s": SCALE_UP_SECONDS,
            "downscale_delay_s": SCALE_DOWN_SECONDS,
        }
    else:
        options["num_replicas"] = plan.min_replicas
    ingress = serve.ingress()(SpeechReplica)
    return serve.deployment(ingress).options(**options).bind(msgspec.json.encode(settings))


def places(settings: Settings, plan: Plan) -> int:
    """Requests of a replica at once."""
    most = registry.card(settings.engine).max_streams
    return plan.places or min(most, settings.engine_settings(settings.engine).max_streams or most)


def status(address: str) -> ClusterStatus:
    """How it is. Raises `EngineUnavailable` without a cluster."""
    with connected(address):
        return _status()


def down(address: str) -> None:
    """End the replicas; live streams end first, as long as `runtime.drain_seconds`. Proxies stay."""
    with connected(address):
        serve.delete(APPLICATION)


def _status() -> ClusterStatus:
    found = serve.status()
    machines = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes()}
    proxies = {machines.get(node, node): state.value for node, state in found.proxies.items()}
    app = found.applications.get(APPLICATION)
    if app is None:
        return ClusterStatus("NOT_STARTED", "", {}, proxies)
    replicas = {
        state.value if hasattr(state, "value") else str(state): n_replicas
        for deployment in app.deployments.values()
        for state, n_replicas in deployment.replica_states.items()
    }
    return ClusterStatus(app.status.value, app.message, replicas, proxies)


def _check_proxy(server: ServerSettings) -> None:
    """Proxies that run already stay where they are, and Ray does not mind. Asked of this machine's."""
    if ray.util.get_node_ip_address() not in _status().proxies:
        return
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    try:
        knock(f"{host}:{server.port}")
    except OSError as e:
        raise ConfigError(
            f"replicas run, but Ray's proxies do not listen on {server.host} port {server.port}: they were "
            "started before, with another address",
            hint="name that one, or end Ray Serve with `serve shutdown` first",
        ) from e


def _check(settings: Settings) -> None:
    if settings.render.folder:
        raise ConfigError(
            "`render.folder` is set: every replica would render every job", hint="render on a single server"
        )
    if settings.agent.enabled:
        raise ConfigError(
            "`agent.enabled` is set: a conversation is in the memory of one replica, and asks another next",
            hint="run `ttsops agent` before the cluster: it speaks through it",
        )
