"""Checks every engine passes, third-party ones too, and what a test of one needs.

```python
report = check_engine(lambda: registry.create("myengine"))
assert report.is_passed, str(report)
```
"""

from ttsops.testing.clock import VirtualClock
from ttsops.testing.conformance import CHECKS, Report, Result, check_engine
from ttsops.testing.outcome import CheckFailed, NotApplicable
from ttsops.testing.speaking import Spoken, speak, speak_together

__all__ = [
    "CHECKS",
    "CheckFailed",
    "NotApplicable",
    "Report",
    "Result",
    "Spoken",
    "VirtualClock",
    "check_engine",
    "speak",
    "speak_together",
]
