"""Settings attached to a role (``ALTER ROLE … SET``): which texts mean the same.

A list setting such as ``search_path`` is stored as quoted identifiers, so what was asked (``"$user", "data"``) and
what the catalogue shows (``"$user", data``) differ in text only.
"""

from __future__ import annotations

import re

LIST_SETTINGS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
"""PostgreSQL's settings that hold a list of quoted names (``GUC_LIST_QUOTE``; the server keeps the list fixed)."""

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",]*?))\s*(?:,|$)')


def setting_values(name: str, text: str) -> tuple[str, ...]:
    """The values that ``text`` stands for, without quotes: one for an ordinary setting, the items of a list setting.

    Outer single quotes are the writer's and are removed (lifecycle.md 4.6). Two texts mean the same when their values
    are equal.
    """
    if len(text) >= 2 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("''", "'")
    if name.lower() not in LIST_SETTINGS:
        return (text,)
    values = []
    position = 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None:
            return (text,)
        position = item.end()
        values.append(item[1].replace('""', '"') if item[1] is not None else item[2].lower())
    return tuple(values) or ("",)
