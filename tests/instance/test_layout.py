from __future__ import annotations

from pathlib import Path

from pgherd_instance.layout import write_scripts
from pgherd_instance.preload import extensions


def test_what_runs_after_an_extension_is_where_pgextwlist_looks(tmp_path: Path) -> None:
    write_scripts(tmp_path)
    scripts = {path.parent.name for path in tmp_path.glob("*/after-create.sql")}
    assert scripts == {"pgq", "postgres_fdw", "pg_partman"}
    assert scripts <= set(extensions()), "only what an owner may create has a script that ever runs"
