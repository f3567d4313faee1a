"""What could not be read, as a value.

A missing answer is not an empty answer. Whoever decides sees ``Unknown`` in the place of the fact and chooses what may
be done half-blind; ``reason`` is a sentence for a person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unknown:
    """A fact that nobody could tell, and why."""

    reason: str

    def __str__(self) -> str:
        return f"unknown ({self.reason})"


@dataclass(frozen=True)
class LoginRefused(Unknown):
    """The database answered, and does not take the password in the Secret."""
