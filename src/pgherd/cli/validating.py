"""``pgherd validate``: manifests and configurations checked offline, for people and for CI.

====  ===================================================
0     nothing is wrong; there may be warnings and notes
1     an object has a fault, or a warning with ``--strict``
====  ===================================================

Notes name what a manifest asks for and this version does not do yet. They never change the exit code: the manifest is
right.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pgherd.api.postgresql import subject_of
from pgherd.cli.failures import FAILED
from pgherd.cli.files import Found, files_of, objects
from pgherd.cli.findings import findings
from pgherd.cli.settings import Settings, defaults, is_configuration, of_file, parse
from pgherd.errors import Fault, ManifestError, PgherdError

OURS = frozenset({"postgresql", "PostgresTeam", "OperatorConfiguration"})


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing about one object. ``line`` counts from 1."""

    file: str
    line: int
    subject: str
    severity: Severity
    fault: Fault

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.fault}"

    @property
    def facts(self) -> dict[str, Any]:
        """For programs."""
        fault = self.fault
        return {
            "file": self.file,
            "line": self.line,
            "object": self.subject,
            "severity": str(self.severity),
            "path": fault.path,
            "problem": fault.problem,
            "value": fault.value,
            "cure": fault.cure,
        }


@dataclass(frozen=True)
class Report:
    """``checked`` and ``passed_over`` count objects."""

    findings: tuple[Finding, ...]
    checked: int
    passed_over: int
    configuration: str

    def count(self, severity: Severity) -> int:
        return sum(one.severity is severity for one in self.findings)

    @property
    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "valid": not self.count(Severity.ERROR),
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "notes": self.count(Severity.NOTE),
            "checked": self.checked,
            "passedOver": self.passed_over,
            "configuration": self.configuration,
            "findings": [one.facts for one in self.findings],
        }


def validate(paths: Sequence[str], config: str, form: str, *, strict: bool) -> int:
    """Print what was found; the exit code."""
    report = examine(paths, config)
    if form in ("json", "yaml"):
        from pgherd.cli import output

        output.data(report.facts, output.Format(form))
    else:
        for one in report.findings:
            sys.stdout.write(f"{one}\n")
        sys.stdout.write(_summary(report) + "\n")
    bad = report.count(Severity.ERROR) + (report.count(Severity.WARNING) if strict else 0)
    return FAILED if bad else 0


def examine(paths: Sequence[str], config: str = "") -> Report:
    """Check all objects of our kinds. Raises PgherdError for files that cannot be read or hold nothing of ours."""
    found: list[Found] = []
    told: list[Finding] = []
    for file in files_of(paths):
        try:
            found += objects(file)
        except ManifestError as error:
            told += [Finding(file, _line(fault), file, Severity.ERROR, fault) for fault in error.faults]
    settings = of_file(config) if config else _among(found)
    ours = [one for one in found if one.kind in OURS or not one.kind or is_configuration(one.content)]
    if not ours and not told:
        raise PgherdError(f"{', '.join(paths)}: holds nothing to check. Cure: name a file or folder with manifests")
    for one in ours:
        result = findings(one.document, settings.config)
        told += [_finding(one, Severity.ERROR, fault) for fault in result.faults]
        told += [_finding(one, Severity.WARNING, fault) for fault in result.remarks]
        told += [_finding(one, Severity.NOTE, fault) for fault in result.notes]
    return Report(tuple(told), len(ours), len(found) - len(ours), settings.source)


def _among(found: Sequence[Found]) -> Settings:
    """The only configuration of these files, if it can be used: the manifests beside it are meant for it."""
    there = [one for one in found if is_configuration(one.content)]
    if len(there) != 1:
        return defaults(f"{len(there)} configurations are there, --config names one" if there else "")
    try:
        return Settings(parse(there[0].content, there[0].source), there[0].source, there[0].content)
    except ManifestError:
        return defaults(f"{there[0].source} has faults")


def _finding(found: Found, severity: Severity, fault: Fault) -> Finding:
    subject = subject_of(found.content, found.kind or "object")
    return Finding(found.source, found.document.line(fault.path), subject, severity, fault)


def _line(fault: Fault) -> int:
    """Line of text that is not YAML, whose fault names ``line 3, column 7``."""
    word = fault.path.partition(",")[0].removeprefix("line ")
    return int(word) if word.isdigit() else 1


def _summary(report: Report) -> str:
    counts = [f"{report.checked} checked"]
    counts += [f"{report.passed_over} of other kinds passed over"] if report.passed_over else []
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    counts += [f"{errors} error{'s' * (errors != 1)}", f"{warnings} warning{'s' * (warnings != 1)}"]
    notes = report.count(Severity.NOTE)
    counts += [f"{notes} note{'s' * (notes != 1)}"] if notes else []
    return f"{', '.join(counts)} (settings: {report.configuration})"
