"""Which kubeconfig a command uses: predictable, and never the local cluster against a person's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgherd.cli.invocation import Invocation, default_home
from pgherd.cli.local.home import Home
from pgherd.errors import LocalError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PGHERD_HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


def test_the_local_cluster_is_used_from_up_to_reset(home: Path) -> None:
    assert Invocation().chosen is None
    (home / "kubeconfig").write_text("")
    assert Invocation().chosen == home / "kubeconfig"
    assert Invocation(context="localkube").chosen == home / "kubeconfig"


def test_a_persons_word_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "kubeconfig").write_text("")
    assert Invocation(kubeconfig=Path("/other")).chosen == Path("/other")
    assert Invocation(context="production").chosen is None
    monkeypatch.setenv("KUBECONFIG", "/mine")
    assert Invocation().chosen is None


def test_the_home_follows_the_xdg_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGHERD_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_home() == Path("/data/pgherd")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    assert default_home() == Path.home() / ".local/share/pgherd"


def test_roots_home_is_where_others_may_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for data that are in its own folder by now."""
    for variable in ("PGHERD_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert default_home() == Path("/var/lib/pgherd")
    former = Home(tmp_path / ".local/share/pgherd")
    former.prepare(former.choose(None))
    assert default_home() == former.folder


def test_a_home_keeps_its_addresses(tmp_path: Path) -> None:
    home = Home(tmp_path)
    chosen = home.choose("127.99.0.0/16")
    assert chosen.server == "http://127.99.0.1:6443"
    home.prepare(chosen)
    assert home.choose(None) == chosen
    with pytest.raises(LocalError, match=r"has the addresses 127\.99\.0\.0/16.*pgherd local reset"):
        home.choose("127.98.0.0/16")


@pytest.mark.parametrize("text", ["10.0.0.0/8", "127.0.0.0/30", "127.1", "127.0.0.1/8"])
def test_a_range_that_cannot_be_used_is_refused_with_an_example(tmp_path: Path, text: str) -> None:
    with pytest.raises(LocalError, match=r"127\.99\.0\.0/16"):
        Home(tmp_path).choose(text)
