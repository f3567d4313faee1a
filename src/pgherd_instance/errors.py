"""What can be wrong with what the pod was given.

``InstanceError``
└── ``ConfigurationError``   a variable, a file or an installation; the message names it and the cure
"""

from __future__ import annotations


class InstanceError(Exception):
    """Ends the entry point or a helper program with its message and no traceback."""


class ConfigurationError(InstanceError):
    """``subject`` (a variable, file or installation) is wrong; ``cure`` is what a person can do."""

    def __init__(self, subject: str, problem: str, cure: str) -> None:
        super().__init__(f"{subject}: {problem}. {cure[:1].upper()}{cure[1:]}.")
        self.subject = subject
