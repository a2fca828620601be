"""Results as JUnit XML, which every CI reads.

https://github.com/testmoapp/junitxml describes what tools expect of it: there is no standard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from ttsops.ops.accept.gate import GateResult
from ttsops.ops.accept.run import EngineResult

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[EngineResult]) -> bytes:
    """A suite for each engine, a case for each gate; a gate that was not asked is skipped, never passed."""
    every = [gate for result in results for gate in result.gates]
    root = Xml.Element("testsuites", {"name": "ttsops accept", **_totals(every)})
    for result in results:
        suite = Xml.SubElement(root, "testsuite", {"name": result.engine, **_totals(result.gates)})
        properties = Xml.SubElement(suite, "properties")
        for name, value in (("device", result.device), ("note", result.note)):
            Xml.SubElement(properties, "property", name=name, value=_clean(value))
        for gate in result.gates:
            _case(suite, result.engine, gate)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _case(suite: Xml.Element, engine: str, gate: GateResult) -> None:
    case = Xml.SubElement(
        suite, "testcase", classname=f"accept.{engine}", name=gate.gate, time=f"{gate.seconds:.3f}"
    )
    detail = _clean(gate.detail)
    if gate.outcome == "failed":
        Xml.SubElement(case, "failure", message=detail, type="gate").text = detail
    elif gate.outcome == "passed":
        Xml.SubElement(case, "system-out").text = detail
    else:
        Xml.SubElement(case, "skipped", message=detail)


def _totals(gates: Sequence[GateResult]) -> dict[str, str]:
    return {
        "tests": str(len(gates)),
        "failures": str(sum(gate.outcome == "failed" for gate in gates)),
        "errors": "0",
        "skipped": str(sum(gate.outcome in ("skipped", "not_run") for gate in gates)),
        "time": f"{sum(gate.seconds for gate in gates):.3f}",
    }


def _clean(text: str) -> str:
    """Without the characters that XML has no place for."""
    return _NOT_IN_XML.sub("?", text)
