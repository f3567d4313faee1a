"""For all tests: groups of tests that share a server stay together (``--dist loadgroup``)."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make pytest-xdist's groups count.

    pytest-xdist 3.8 notes a test's group in ``Item._nodeid``, which pytest 9.2 does not read any more; without this
    every test of a group may run on another worker, each with a platform of its own.
    """
    for item in items:
        noted = getattr(item, "_nodeid", item.nodeid)
        if noted != item.nodeid:
            from _pytest.nodeid import coerce_node_id

            item._id = coerce_node_id(noted)  # type: ignore[attr-defined]
