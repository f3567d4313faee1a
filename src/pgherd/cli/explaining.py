"""``pgherd explain`` and ``pgherd schema``: what a field or option means, for people and for editors."""

from __future__ import annotations

import json
import sys
from typing import Any

from pgherd.api.explain import Explanation, explain, schemas
from pgherd.cli import output
from pgherd.cli.output import Format
from pgherd.cli.settings import of_option
from pgherd.errors import PgherdError


def show(path: str, config: str, form: Format) -> None:
    """Print one explanation. Raises PgherdError for a path that does not exist."""
    settings = of_option(config)
    try:
        found = explain(path, settings.config)
    except KeyError as error:
        raise PgherdError(str(error.args[0])) from None
    if form.for_programs:
        output.data(_facts(found), form)
        return
    output.heading(
        found.path,
        {
            "type": f"{found.type}{', required' if found.required else ''}",
            "rule": "; ".join(found.rules),
            "default": f"{found.default} ({found.origin})" if not found.required else "",
            "a change": found.cost.value,
        },
    )
    if found.description:
        output.say()
        output.say(found.description)
    if found.fields:
        output.say()
        output.table(["FIELD", "TYPE"], list(found.fields.items()))


def _facts(found: Explanation) -> dict[str, Any]:
    return {
        "path": found.path,
        "type": found.type,
        "required": found.required,
        "rules": list(found.rules),
        "default": found.default,
        "origin": found.origin,
        "cost": found.cost.value,
        "description": found.description,
        "fields": dict(found.fields),
    }


def schema(kind: str) -> None:
    """Print the JSON Schema of a resource. Raises PgherdError for an unknown kind."""
    from pgherd.api.docs import json_schema

    for name, (_, names) in schemas().items():
        if kind.lower() in names:
            sys.stdout.write(json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n")
            return
    raise PgherdError(f"no resource is called {kind}. Cure: name one of {', '.join(schemas())}")
