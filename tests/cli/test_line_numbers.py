from __future__ import annotations

import pytest

from pgherd.cli.line_numbers import documents
from pgherd.errors import ManifestError

TEXT = """\
# a comment
apiVersion: acid.zalan.do/v1
metadata:
  name: a
spec:
  users:
    "a b": [superuser]
  sidecars:
  - name: x
    image: y
  - name: z
  since: 2020-01-01
---
---
kind: b
"""


def test_every_path_has_its_line() -> None:
    first, second = documents(TEXT, "file")
    assert first.line("apiVersion") == 2
    assert first.line("metadata.name") == 4
    assert first.line('spec.users["a b"]') == 7
    assert first.line("spec.sidecars[1].name") == 11
    assert first.content["spec"]["since"] == "2020-01-01"
    assert second.line("kind") == 15


def test_what_is_not_there_has_the_line_of_what_it_would_be_in() -> None:
    first, _ = documents(TEXT, "file")
    assert first.line("spec.sidecars[1].image") == 11
    assert first.line("spec.volume.size") == 5
    assert first.line("status") == 2


def test_a_key_that_stands_twice_is_a_fault() -> None:
    (only,) = documents("a: 1\nb:\n  c: 1\n  c: 2\n", "file")
    (fault,) = only.repeated
    assert (fault.path, fault.problem) == ("b.c", "stands twice, in lines 3 and 4")


@pytest.mark.parametrize(
    ("text", "where"),
    [("a: [1\nb: 2\n", "line 2, column"), ("a:\n\tb: 1\n", "line 2, column"), ("a: \x00", "the text")],
)
def test_text_that_is_no_yaml_says_where(text: str, where: str) -> None:
    with pytest.raises(ManifestError, match=f"file: {where}"):
        documents(text, "file")
