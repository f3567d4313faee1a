"""UTF-8 and the locale of a new cluster, whatever locales the machine has (specification: instance 1.5, 1.24).

The contract's default is ``en_US.UTF-8``; an image that follows it has that locale. Where it is missing and nobody
asked for it by name, the order is C.UTF-8 of the C library, then the builtin provider's C.UTF-8 (PostgreSQL 17 and
newer), then the locale C with encoding UTF8. A locale that somebody asked for is never replaced, because it decides how
text sorts: the log says that it is missing, and initdb refuses it. Only a new cluster is concerned; a replica copies
its primary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgherd_instance.environment import Environment
from pgherd_instance.machine import Machine
from pgherd_instance.merge import Option, initdb_options, option_name

C_UTF8 = "C.UTF-8"
# With one of these in the list Patroni would give up the bootstrap.
REFUSED = frozenset({"pgdata", "nosync", "pwfile", "sync-only", "version"})
LOCALE_OPTIONS = frozenset({"locale", "lc-collate", "lc-ctype"})


def candidates(environment: Environment) -> list[str]:
    """The locales whose existence matters."""
    return [C_UTF8, environment.initdb_locale, *_asked(_user_options(environment))]


def initdb(environment: Environment, machine: Machine, major: int) -> tuple[list[Option], list[str]]:
    """(options of initdb, notes for the log)."""
    user = _user_options(environment)
    wanted = _locale(environment, machine, major)
    generated: list[Option] = [{"encoding": "UTF8"}, *wanted, "data-checksums"]
    asked = [*_asked(user), *([environment.initdb_locale] if environment.initdb_locale_given else [])]
    notes = [
        f"initdb: the locale {name} is not installed, so no new cluster can be made with it; install it"
        for name in asked
        if name not in machine.locales
    ]
    if {"locale": environment.initdb_locale} not in wanted and not any(option_name(o) == "locale" for o in user):
        chosen = ", ".join(f"{key}={value}" for option in wanted for key, value in option.items())
        notes.append(f"initdb: the locale {environment.initdb_locale} is not installed; a new cluster gets {chosen}")
    refused = [option_name(option) for option in user if option_name(option) in REFUSED]
    if refused:
        notes.append(f"initdb: {', '.join(refused)}: Patroni sets these options itself and refuses them; left out")
    user = [option for option in user if option_name(option) not in REFUSED]
    if not user:
        return generated, notes
    return (initdb_options(generated, user) if environment.initdb_merge else list(user)), notes


def _locale(environment: Environment, machine: Machine, major: int) -> list[dict[str, str]]:
    if environment.initdb_locale in machine.locales or environment.initdb_locale_given:
        return [{"locale": environment.initdb_locale}]
    if C_UTF8 in machine.locales:
        return [{"locale": C_UTF8}]
    if major >= 17:
        return [{"locale-provider": "builtin"}, {"builtin-locale": C_UTF8}, {"locale": "C"}]
    return [{"locale": "C"}]


def _user_options(environment: Environment) -> Sequence[Option]:
    bootstrap: Any = environment.user.get("bootstrap") or {}
    options: Any = bootstrap.get("initdb") or []
    return [{key: value} for key, value in options.items()] if isinstance(options, dict) else options


def _asked(user: Sequence[Option]) -> list[str]:
    return [str(value) for o in user if not isinstance(o, str) for key, value in o.items() if key in LOCALE_OPTIONS]
