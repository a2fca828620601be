"""A Ray cluster of several nodes on one machine, each at a loopback address of its own.

    with RayNodes() as nodes:       # the head, at 127.0.0.2
        nodes.add()                 # another, at 127.0.0.3
        nodes.kill()                # the one that was added last, with everything that ran on it

Ray refuses 127.0.0.1, which it takes for any machine's own. The nodes belong to a process of their own, which
ends them when it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Self

N_CPUS = 4
"""Of each node, whatever the machine has: Ray shares out what it is told."""

OBJECT_STORE_BYTES = 100 * 2**20

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else a proxy sends everything to its own node, as long as that takes it.
    "RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0",
}


class RayNodes:
    """Starts with the block and ends with it."""

    def __init__(self, worker_port: int) -> None:
        """`worker_port` is where proxies of added nodes listen: the machine is one, its ports are shared."""
        self._folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets are in it
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ENVIRONMENT | {"WORKER_PORT": str(worker_port)},
            text=True,
        )
        self.address = str(self._answer()["address"])

    @property
    def pid(self) -> int:
        """Of the process that everything is below."""
        return self._process.pid

    def add(self) -> None:
        """One more node."""
        self._ask("add")

    def kill(self) -> None:
        """SIGKILL for the node that was added last and all its processes."""
        self._ask("kill")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *given: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError("Ray's nodes could not be started")


def run(folder: str) -> None:
    """The other end: does what stdin says, until that ends."""
    from ray.cluster_utils import Cluster

    common = {"num_cpus": N_CPUS, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    cluster = Cluster()
    cluster.add_node(node_ip_address="127.0.0.2", temp_dir=folder, **common)
    print(json.dumps({"address": cluster.address}), flush=True)
    # Read by the nodes that come after the head.
    os.environ["RAY_SERVE_WORKER_PROXY_HTTP_PORT"] = os.environ["WORKER_PORT"]
    nodes = []
    for line in sys.stdin:
        if line.strip() == "add":
            nodes.append(cluster.add_node(node_ip_address=f"127.0.0.{3 + len(nodes)}", **common))
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("{}", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    run(sys.argv[1])
