"""Gates before an engine serves: each asks one question of the engine as it will be served.

The order of reading: `gate`, `limits`, `client`, `serving`, the gates (`weights`, `hearing`, `load`, `disk`),
`run`, `junit`.
"""

from ttsops.ops.accept.gate import GateResult
from ttsops.ops.accept.junit import junit_xml
from ttsops.ops.accept.run import GATES, EngineResult, Plan, accept

__all__ = ["GATES", "EngineResult", "GateResult", "Plan", "accept", "junit_xml"]
