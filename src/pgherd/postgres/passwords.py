"""New passwords: 64 characters of ``a-zA-Z0-9`` from the system's secure source (lifecycle.md 4.2).

That is about 381 bits, and no character needs quoting in a connection string, a YAML file or a shell.
"""

from __future__ import annotations

import secrets
import string

from pgherd.facts.secret import Secret

LENGTH = 64
ALPHABET = string.ascii_letters + string.digits


def draw_password() -> Secret:
    """A fresh password."""
    return Secret("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))
