"""Write everything under ``docs/reference`` and ``docs/compatibility.md`` from the models.

A test fails when a file is not what this script writes.

    python hack/reference_docs.py
"""

from __future__ import annotations

import json
from pathlib import Path

from pgherd.api.docs import annotated_example, compatibility_page, json_schema, reference_page, start_page
from pgherd.api.explain import schemas

ROOT = Path(__file__).parent.parent


def documents() -> dict[str, str]:
    """File, relative to the repository, to text."""
    out = {"docs/compatibility.md": compatibility_page(), "docs/reference/start.md": start_page()}
    for kind in schemas():
        name = kind.lower()
        out[f"docs/reference/{name}.md"] = reference_page(kind)
        out[f"docs/reference/examples/{name}.yaml"] = annotated_example(kind)
        out[f"docs/reference/schemas/{name}.json"] = json.dumps(json_schema(kind), indent=1, ensure_ascii=False) + "\n"
    return out


if __name__ == "__main__":
    for file, text in documents().items():
        path = ROOT / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(file)
