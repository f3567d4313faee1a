"""Stored password verifiers, and whether a password fits one.

The check is made here, with the salt and the iterations of the stored verifier, and not by making a new verifier and
comparing texts: SCRAM salts are random, so such a comparison never ends, and every resync would rewrite every role
(lifecycle.md W-21). Formats: RFC 5803 and PostgreSQL's ``pg_authid.rolpassword``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import stringprep
import unicodedata

from pgherd.facts.secret import Secret

SCRAM = "scram-sha-256"
MD5 = "md5"

_SCRAM_TEXT = re.compile(r"SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})")
_MD5_TEXT = re.compile(r"md5[0-9a-f]{32}")

# RFC 4013: what a prepared password may not hold.
_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def method_of(text: str) -> str:
    """``scram-sha-256``, ``md5``, or ``""`` when the text is not a verifier but a password."""
    if _SCRAM_TEXT.fullmatch(text):
        return SCRAM
    return MD5 if _MD5_TEXT.fullmatch(text) else ""


class Verifier:
    """A stored verifier. It is guarded like a password: an md5 one is enough to log in."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = Secret(text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verifier) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("pgherd.Verifier", self._text))

    def __repr__(self) -> str:
        return f"<{self.method or 'unknown'} verifier>"

    @property
    def method(self) -> str:
        """``scram-sha-256``, ``md5``, or ``""`` for anything else."""
        return method_of(self._text.reveal())

    def matches(self, role: str, password: Secret) -> bool:
        """Whether ``role`` logs in with ``password``, which may itself be a verifier (then the texts must be equal)."""
        stored, given = self._text.reveal(), password.reveal()
        if method_of(given):
            return hmac.compare_digest(stored.encode(), given.encode())
        if self.method == MD5:
            digest = hashlib.md5(given.encode() + role.encode(), usedforsecurity=False).hexdigest()
            return hmac.compare_digest(stored, f"md5{digest}")
        scram = _SCRAM_TEXT.fullmatch(stored)
        if scram is None:
            return False
        iterations, salt, stored_key = int(scram[1]), _decoded(scram[2]), _decoded(scram[3])
        if not iterations or salt is None or stored_key is None:
            return False
        salted = hashlib.pbkdf2_hmac("sha256", saslprep(given), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def saslprep(password: str) -> bytes:
    """The password as PostgreSQL prepares it (RFC 4013); one that cannot be prepared is used as it is.

    What is prohibited, and the direction, PostgreSQL looks for in what was mapped, not in what was normalised.
    """
    if password.isascii():
        return password.encode()
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if not mapped or any(prohibited(char) for prohibited in _PROHIBITED for char in mapped):
        return password.encode()
    if any(stringprep.in_table_d1(char) for char in mapped) and (
        any(stringprep.in_table_d2(char) for char in mapped)
        or not (stringprep.in_table_d1(mapped[0]) and stringprep.in_table_d1(mapped[-1]))
    ):
        return password.encode()
    return prepared.encode()
