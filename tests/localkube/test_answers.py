"""localkube answers as Kubernetes does: each scenario's answers are those that a real API server gave.

``answers/`` was written by a real kube-apiserver (1.34) and is checked against one whenever KUBEBUILDER_ASSETS names
it, so it is never an opinion of ours. To write it anew: ``REWRITE_ANSWERS=1 KUBEBUILDER_ASSETS=... pytest`` this file.

What differs from run to run is replaced: uids and resourceVersions by their order of appearance (so that a version
which must not move is seen not to move), times, addresses, names of the run. Of a refusal the code and
the reason are compared: the wording is ours.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from kube_scenarios import SCENARIOS, Step
from kubeservers import Answer, KubeServer

ANSWERS = Path(__file__).parent / "answers"
LEFT_OUT = {"qosClass", "tolerations", "preemptionPolicy"}
"""What localkube does not make up."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Run:
    """One scenario on one server."""

    def __init__(self, kube: KubeServer, names: dict[str, str]) -> None:
        self.kube = kube
        self.names = dict(names)
        self.seen: dict[tuple[str, str], str] = {}

    def take(self, step: Step) -> dict[str, Any]:
        method, path, body, headers = step
        sent = None if body is None else self._fill(json.dumps(body))
        answer = self.kube.call(method, self._fill(path), sent, **headers)
        self._remember(answer.body)
        return {"call": f"{method} {path}", "code": answer.code} | self._told(answer)

    def _fill(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def _remember(self, body: Any) -> None:
        metadata = body.get("metadata", {}) if isinstance(body, dict) else {}
        for field, name in (("resourceVersion", "rv"), ("uid", "uid"), ("continue", "continue")):
            if metadata.get(field):
                self.names[name] = metadata[field]

    def _told(self, answer: Answer) -> dict[str, Any]:
        warning = answer.headers.get("Warning")
        if answer.code >= 400 and isinstance(answer.body, dict):
            return {"reason": answer.body.get("reason", "")}
        out: dict[str, Any] = {"body": self._plain(answer.body, "")}
        return out | ({"warning": self._text(warning)} if warning else {})

    def _plain(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            if ("items" in value or "rows" in value) and "metadata" in value:
                value = {**value, "metadata": {k: v for k, v in value["metadata"].items() if k != "resourceVersion"}}
            shown = [(k, v) for k, v in sorted(value.items()) if k not in LEFT_OUT]
            out = {self._text(k): self._plain(v, k) for k, v in shown}
            return self._sorted(out)
        if isinstance(value, list):
            items = [self._plain(item, key) for item in value]
            if key == "managedFields":
                items = [{k: v for k, v in item.items() if k != "time"} for item in items]
            return sorted(items, key=json.dumps) if key in ("managedFields", "causes") else items
        if key in ("uid", "resourceVersion") and isinstance(value, str) and value != "u1":
            return self._ordinal(key, value)
        if key in ("clusterIP", "clusterIPs") and value != "None":
            return "<ip>"
        if key in ("nodePort", "healthCheckNodePort"):
            return "<port>"
        if key == "continue":
            return "<continue>"
        return self._text(value) if isinstance(value, str) else value

    @staticmethod
    def _sorted(out: dict[str, Any]) -> dict[str, Any]:
        if "cells" in out:
            out["cells"] = ["<age>" if re.fullmatch(r"\d+s", str(c)) else c for c in out["cells"]]
        if "columnDefinitions" in out:
            out["columnDefinitions"] = [[c["name"], c["priority"]] for c in out["columnDefinitions"]]
        return out

    def _ordinal(self, key: str, value: str) -> str:
        place = (key, value)
        if place not in self.seen:
            count = sum(k == key for k, _ in self.seen) + 1
            self.seen[place] = f"<{key} {count}>"
        return self.seen[place]

    def _text(self, text: str) -> str:
        for name, value in self.names.items():
            if name in ("ns", "group"):
                text = text.replace(value, f"<{name}>")
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", lambda m: self._ordinal("uid", m[0]), text)
        return TIME.sub("<time>", text)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers(kube: KubeServer, namespace: str, crd: dict[str, str], scenario: str) -> None:
    run = Run(kube, {"ns": namespace, "group": crd["group"]})
    found = [run.take(step) for step in SCENARIOS[scenario]]
    file = ANSWERS / f"{scenario}.json"
    if os.environ.get("REWRITE_ANSWERS") and kube.name == "kubernetes":
        ANSWERS.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=1) + "\n")
    wanted = json.loads(file.read_text())
    assert [a["call"] for a in found] == [a["call"] for a in wanted], "the scenario changed: write its answers anew"
    for mine, real in zip(found, wanted, strict=True):
        assert mine == real, mine["call"]
