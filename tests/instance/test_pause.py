"""A pause does not outlive the cluster that was paused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgherd_instance import pause


@pytest.mark.parametrize("value", [True, False])
def test_the_copy_beside_the_data_forgets_it(tmp_path: Path, value: bool) -> None:
    """The rest stays: members of a cluster whose store is empty start with the configuration that they had."""
    kept = {"ttl": 30, "postgresql": {"parameters": {"max_connections": 77}}}
    file = tmp_path / pause.COPY
    file.write_text(json.dumps({**kept, "pause": value}))
    assert pause.forget(tmp_path)
    assert json.loads(file.read_text()) == kept
    assert not pause.forget(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [pause.COPY]


@pytest.mark.parametrize("content", [None, "", "[]", "{", "{}"])
def test_what_is_not_there_or_cannot_be_read_is_left(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / pause.COPY
    if content is not None:
        file.write_text(content)
    assert not pause.forget(tmp_path)
    assert (file.read_text() if file.exists() else None) == content
