"""For all tests: groups of tests that share a server stay together, and signals do what they do in a terminal."""

from __future__ import annotations

import os
import signal

import pytest

# Started in the background or by nohup, we ignore these, and so would every program that a test starts.
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*words): runs where the platform offers that (tests/platforms.py)")
    config.addinivalue_line("markers", "disruptive: on a real cluster it takes nodes or the API server from everybody")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: one more than there are processors, because tests of whole clusters wait for most of their time."""
    return min(8, (os.cpu_count() or 1) + 1)


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
