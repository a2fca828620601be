"""How it is spoken: the contract, the registry, and one package for each engine family."""

from ttsops.engines.contract import Engine, EngineCard, EngineConfig, OptionSpec, Step, Utterance

__all__ = ["Engine", "EngineCard", "EngineConfig", "OptionSpec", "Step", "Utterance"]
