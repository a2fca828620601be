"""Values under which the chart is rendered: each part of it on and off."""

from __future__ import annotations

from infra.chart import Values

CUSTOM = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
"""Kinds that Kubernetes itself does not know."""

KEYED = {"tts": {"apiKeys": {"secret": "keys"}}, "agent": {"ttsKey": {"secret": "agent-key"}}}
GPU = {"tts": {"gpu": {"enabled": True, "count": 2, "runtimeClassName": "nvidia"}}}
KEDA = {
    "tts": {
        "autoscaling": {"kind": "keda", "keda": {"triggerAuthentication": "amp", "awsRegion": "eu-west-1"}}
    }
}
ADAPTER = {"tts": {"autoscaling": {"kind": "adapter"}}}
OPEN = {
    part: {
        "metricsPort": 9001,
        "ingress": {
            "enabled": True,
            "host": f"{part}.example.com",
            "allowAnonymous": True,
            "tlsSecret": "tls",
        },
    }
    for part in ("tts", "agent")
}
S3 = {
    "models": {
        "source": "s3",
        "names": ["realtime"],
        "s3": {
            "uri": "s3://models/hub",
            "endpoint": "https://minio.example.com",
            "credentialsSecret": "minio",
        },
    }
}
HUB = {"models": {"source": "hub", "names": ["realtime", "f5"], "volume": {"create": True}}}
PVC = {"models": {"source": "pvc", "volume": {"claim": "weights"}, "verify": "quick"}}
WATCHED = {
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "kps"}},
        "rules": {"enabled": True},
        "dashboards": {"enabled": True, "annotations": {"grafana_folder": "tts-ops"}},
    }
}
EVERYTHING = {
    "imagePullSecrets": ["registry"],
    "listen": "::",
    "tts": {
        "image": {"digest": f"sha256:{'a' * 64}"},
        "settings": {"server": {"cors_origins": ["https://example.com", "https://b.example.com"]}},
        "env": [{"name": "TZ", "value": "UTC"}],
        "nodeSelector": {"gpu": "l4"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "priorityClassName": "speech",
        "podLabels": {"team": "voice"},
        "podAnnotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        "state": {"claim": "state"},
        "terminationGracePeriodSeconds": 80,
        "maxSurge": "25%",
    },
    "agent": {
        "autoscaling": {"enabled": True},
        "metricsPort": 9001,
        "podDisruptionBudget": {"enabled": False},
    },
    "networkPolicy": {
        "prometheus": {"namespace": "", "cidrs": ["10.0.0.0/16", "fd00::/8"]},
        "agent": {"egress": [{"ports": [{"port": 11434, "protocol": "TCP"}]}]},
        "tts": {"ingress": [{"from": [{"podSelector": {}}]}]},
    },
}

CASES: dict[str, Values] = {
    "default": {},
    "keys": KEYED,
    "gpu": GPU,
    "keda": KEDA,
    "adapter": ADAPTER,
    "ingress": OPEN,
    "ingress by F5": OPEN | {"ingress": {"controller": "f5-nginx"}},
    "ingress by another": OPEN | {"ingress": {"controller": "other", "className": "traefik"}},
    "s3": S3,
    "hub": HUB,
    "pvc": PVC,
    "watched": WATCHED,
    "server alone": {"agent": {"enabled": False}} | WATCHED,
    "agent with a model": {"agent": {"llm": {"provider": "anthropic", "model": "m", "secret": "llm"}}},
    "agent with a local model": {
        "agent": {"llm": {"provider": "local", "model": "m", "baseUrl": "http://ollama.llm:11434/v1"}}
    },
    "no policy, nobody scrapes": {"networkPolicy": {"enabled": False}},
    "nobody scrapes": {"networkPolicy": {"prometheus": {"namespace": ""}}},
    "everything": EVERYTHING,
}
