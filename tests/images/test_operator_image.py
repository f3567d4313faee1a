"""The operator's image runs as anybody, with nothing and writing nowhere."""

from __future__ import annotations

from pathlib import Path

from images.containers import Container, Security


def test_any_user_without_rights(operator_root: Path, tmp_path: Path) -> None:
    nobody = Security(user=54321, group=54321, read_only=True, may_gain=False)
    container = Container(operator_root, tmp_path / "pod", nobody, {"PATH": "/opt/pgherd/bin:/usr/bin:/bin"})
    try:
        container.start("pgherd", "explain", "spec.podSecurityRestricted")
        assert container.ended() == 0, container.log.read_text()
        assert "restricted Pod Security Standard" in container.log.read_text()
    finally:
        container.end()
