"""``pgherd apply``: what is wrong is said with its line before anything is sent; then the API server's word counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.servers import ROOT, Server
from pgherd.cli.applying import Manner, apply, check
from pgherd.cli.line_numbers import documents
from pgherd.errors import Fault, ManifestError, PgherdError
from pgherd.kube.resources import POSTGRESQLS

EXAMPLE = (ROOT / "examples/minimal.yaml").read_text()


def faults(text: str) -> list[tuple[int, Fault]]:
    (document,) = documents(text, "file")
    return [(document.line(fault.path), fault) for fault in check(document).faults]


def test_the_example_is_right() -> None:
    (document,) = documents(EXAMPLE, "file")
    assert check(document).faults == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "value"),
    [
        ('version: "18"', 'version: "9"', 21, "spec.postgresql.version", '"9"'),
        ('version: "18"', "version: 18", 21, "spec.postgresql.version", "18"),
        ("numberOfInstances: 2", "numberOfInstances: two", 10, "spec.numberOfInstances", '"two"'),
        ("size: 1Gi", "size: lots", 9, "spec.volume.size", '"lots"'),
        ("    - superuser", "    - almighty", 13, "spec.users.zalando[0]", '"almighty"'),
    ],
)
def test_a_wrong_value_is_named_with_line_path_and_cure(old: str, new: str, line: int, path: str, value: str) -> None:
    assert old in EXAMPLE
    ((found, fault),) = faults(EXAMPLE.replace(old, new))
    assert (found, fault.path, fault.value) == (line, path, value)
    assert fault.cure


def test_what_is_missing_is_named_where_it_belongs() -> None:
    ((line, fault),) = faults(EXAMPLE.replace("  volume:\n    size: 1Gi\n", ""))
    assert (line, fault.path, fault.problem) == (6, "spec.volume", "is required")


def test_a_key_that_does_not_exist_is_a_warning_with_the_nearest_one() -> None:
    (document,) = documents(EXAMPLE.replace("numberOfInstances", "numberOfInstance"), "file")
    (fault,) = check(document).remarks
    assert (fault.path, fault.cure) == ("spec.numberOfInstance", "did you mean numberOfInstances?")


async def test_created_then_unchanged_then_configured(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    for text, wanted in (
        (EXAMPLE, "created"),
        (EXAMPLE, "unchanged"),
        (EXAMPLE.replace("numberOfInstances: 2", "numberOfInstances: 3"), "configured"),
    ):
        file.write_text(text)
        await apply(server.invocation, [str(file)], Manner())
        assert capsys.readouterr().out == f"postgresqls.acid.zalan.do/acid-minimal-cluster {wanted}\n"
    live = await server.kube.get(POSTGRESQLS.whole().at("default", "acid-minimal-cluster"))
    assert live["spec"]["numberOfInstances"] == 3
    assert {entry["manager"] for entry in live["metadata"]["managedFields"]} == {"pgherd-cli"}


async def test_nothing_is_sent_of_a_file_with_a_fault(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{EXAMPLE}---\n{EXAMPLE.replace('1Gi', 'lots').replace('acid-minimal-cluster', 'acid-b')}")
    with pytest.raises(PgherdError, match="nothing was sent"):
        await apply(server.invocation, [str(file)], Manner())
    assert f"{file}:31: spec.volume.size: " in capsys.readouterr().err
    assert await server.kube.list(POSTGRESQLS) == []


async def test_what_the_server_refuses_is_told_in_its_words(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(EXAMPLE.replace('"18"', '"9"'))
    with pytest.raises(PgherdError, match=r"refused.*spec\.postgresql\.version"):
        await apply(server.invocation, [str(file)], Manner(anyway=True))


async def test_fields_of_others_are_not_taken_without_a_word(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(EXAMPLE)
    await apply(server.invocation, [str(file)], Manner())
    await server.kube.patch(POSTGRESQLS.at("default", "acid-minimal-cluster"), {"spec": {"numberOfInstances": 5}})
    with pytest.raises(PgherdError, match=r"numberOfInstances.*--force-conflicts"):
        await apply(server.invocation, [str(file)], Manner())
    await apply(server.invocation, [str(file)], Manner(force_conflicts=True))
    live = await server.kube.get(POSTGRESQLS.whole().at("default", "acid-minimal-cluster"))
    assert live["spec"]["numberOfInstances"] == 2


async def test_a_dry_run_changes_nothing(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(EXAMPLE)
    await apply(server.invocation, [str(file)], Manner(dry_run=True))
    assert await server.kube.list(POSTGRESQLS) == []


async def test_files_that_hold_nothing_or_are_not_there(server: Server, tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing\n")
    with pytest.raises(PgherdError, match="holds no object"):
        await apply(server.invocation, [str(empty)], Manner())
    with pytest.raises(PgherdError, match=r"none\.yaml: No such file"):
        await apply(server.invocation, [str(tmp_path / "none.yaml")], Manner())
    broken = tmp_path / "broken.yaml"
    broken.write_text("spec: {\n")
    with pytest.raises(ManifestError, match="line 2, column 1"):
        await apply(server.invocation, [str(broken)], Manner())
