"""How a user's configuration is laid over the generated one (specification: instance 1.5, 4; 1.24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def merged(generated: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, a user's list replaces, a user's null leaves the generated value in place."""
    result = dict(generated)
    for key, value in user.items():
        mine = result.get(key)
        if isinstance(mine, Mapping) and isinstance(value, Mapping):
            result[key] = merged(mine, value)
        elif value is not None or key not in result:
            result[key] = value
    return result


Option = str | Mapping[str, Any]


def option_name(option: Option) -> str:
    return option if isinstance(option, str) else next(iter(option), "")


def initdb_options(generated: Sequence[Option], user: Sequence[Option]) -> list[Option]:
    """Merge initdb's options by name, so that a user's list does not lose UTF-8 and data checksums.

    The reference replaces the whole list (1.24, marked BETTER). A flag with the value ``false`` switches the generated
    one off, ``no-locale`` takes the place of ``locale`` and ``no-data-checksums`` that of ``data-checksums``.
    """
    options: dict[str, Option] = {option_name(option): option for option in generated}
    for option in user:
        name = option_name(option)
        value = True if isinstance(option, str) else option[name]
        if name in FLAGS and str(value).lower() in {"false", "off", "no", "0"}:
            options.pop(name, None)
            continue
        options.pop(REPLACES.get(name, ""), None)
        options[name] = name if name in FLAGS and str(value).lower() in {"true", "on", "yes", "1"} else option
    return list(options.values())


FLAGS = frozenset(
    {
        "data-checksums",
        "no-data-checksums",
        "debug",
        "no-locale",
        "noclean",
        "no-clean",
        "nosync",
        "no-sync",
        "sync-only",
    }
)
REPLACES = {"no-locale": "locale", "no-data-checksums": "data-checksums"}
