"""Which weights a compiled method has."""

import pytest
import torch
from torch._dynamo.utils import counters

from ttsops.engines.nn.compiled import compile_method, tensors_of
from ttsops.engines.nn.layers import load_fused, load_linear
from ttsops.engines.nn.weights import RandomWeights

pytestmark = pytest.mark.unit


class Network:
    __module__ = "ttsops.made_here"

    def __init__(self) -> None:
        weights = RandomWeights(0)
        self.layers = [load_linear(weights, f"layers.{i}", 4, 4) for i in range(2)]
        self.head = load_fused(weights, [("head", 3)], 4, has_bias=False)
        self.again = self.head
        self.name = "not a tensor"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def test_every_tensor_is_found_once() -> None:
    assert len(list(tensors_of(Network()))) == 5


def test_a_compiled_method_takes_inputs_of_any_length_and_weights_of_their_own() -> None:
    torch.compiler.reset()
    counters.clear()
    network, compiled = Network(), Network()
    graphs = []

    def look(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    compile_method(compiled, "forward", backend=look, fullgraph=True)
    for n in (2, 5, 9):
        x = torch.randn(n, 4)
        assert torch.equal(compiled.forward(x), network.forward(x))
    assert len(graphs) == 1
    shapes = [
        node.meta["example_value"].shape
        for node in graphs[0].graph.nodes
        if node.op == "placeholder" and isinstance(node.meta["example_value"], torch.Tensor)
    ]
    weights = [shape for shape in shapes if all(type(size) is int for size in shape)]
    assert len(weights) == 5
    assert len(shapes) == 6
