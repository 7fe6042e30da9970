"""``pursuhint doctor``: a line for each look, what to do, and an exit code for scripts."""

from __future__ import annotations

import json

import pytest

from pursuhint.doctor import examination
from pursuhint.doctor.finding import Finding


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_the_worst_finding_decides(pursuhint, monkeypatch, level, code):
    found = Finding("disk [full]", level, "x", "" if level == "ok" else "free `some`")
    monkeypatch.setattr(
        examination, "LOOKS", {"disk": lambda: found, "memory": lambda: Finding("memory", "ok", "y")}
    )
    answer = pursuhint("doctor")
    assert answer.code == code
    assert level in answer.out and "[full]" in answer.out
    assert ("→ free `some`" in answer.out) == (level != "ok")
    told = pursuhint("doctor", "--json")
    assert told.code == code
    content = json.loads(told.out)
    assert content["level"] == level
    assert content["findings"][1] == {"name": "memory", "level": "ok", "found": "y", "advice": ""}
