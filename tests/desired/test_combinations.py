"""Fields and options in combination: whatever meets, the manifests are legal, unambiguous and always the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from desired.contexts import context, manifest
from desired.schemas import schema_errors
from desired.variations import VARIATIONS
from golden.files import PASSWORD, identity
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.manifest import revealed
from pgherd.desired.notices import notices
from pgherd.desired.secrets import role_secrets
from pgherd.desired.security import is_restricted
from pgherd.desired.unhandled import unhandled_fields

#: Keys of the lists that server-side apply merges: an item with the same key twice is refused.
KEYS = {"env": "name", "volumeMounts": "mountPath", "containers": "name", "initContainers": "name", "volumes": "name"}

#: What the variations of these facts need, whichever of them meet.
FACTS = {"pod_secret_keys": ["A"], "pod_configmap": {"A": "1"}, "backup_secret_keys": ["A"], "statefulset_exists": True}


@st.composite
def combinations(draw: st.DrawFn) -> Context:
    """A few variations at once; a later one wins where two say something about the same thing."""
    names = draw(st.lists(st.sampled_from(sorted(VARIATIONS)), min_size=2, max_size=6, unique=True))
    spec: dict[str, Any] = {}
    options: dict[str, Any] = {}
    facts: dict[str, Any] = dict(FACTS)
    for name in names:
        variation = VARIATIONS[name]
        spec |= {**variation.base, **variation.spec}
        options |= variation.options
        facts |= variation.facts
    # Restricted pods as root are an error on purpose.
    root = spec.get("spiloRunAsUser", options.get("spilo_runasuser")) == 0
    made = context(manifest(**spec), options, **facts)
    if root and is_restricted(made):
        return context(manifest(**{**spec, "podSecurityRestricted": False}), options, **facts)
    return made


def lists(value: Any, key: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from lists(member, name)
    elif isinstance(value, list):
        if key in KEYS:
            yield key, value
        for member in value:
            yield from lists(member)


@given(combinations())
def test_manifests_are_legal_and_unambiguous(ctx: Context) -> None:
    children = desired_children(ctx)
    for child in children:
        sent = revealed(child)
        assert schema_errors(sent, "1.34") == []
        for key, items in lists(sent):
            keys = [item[KEYS[key]] for item in items]
            assert len(keys) == len(set(keys)), (identity(child), key)
    places = [(identity(child), child["metadata"]["namespace"]) for child in children]
    assert len(places) == len(set(places))


@given(combinations())
def test_every_mount_has_a_volume(ctx: Context) -> None:
    for child in desired_children(ctx):
        if child["kind"] in ("StatefulSet", "Deployment"):
            pod = child["spec"]["template"]["spec"]
            names = {volume["name"] for volume in pod.get("volumes", ())} | {"pgdata"}
            for container in pod["containers"]:
                assert {mount["name"] for mount in container.get("volumeMounts", ())} <= names


@given(combinations())
def test_every_secret_that_a_pod_reads_is_made(ctx: Context) -> None:
    """Of the roles of this cluster; a clone's source has its own."""
    made = {wanted.name for wanted in role_secrets(ctx) if wanted.namespace == ctx.namespace}
    for child in desired_children(ctx):
        if child["kind"] in ("StatefulSet", "Deployment", "CronJob"):
            for _, variables in lists(child):
                for variable in variables:
                    reference = variable.get("valueFrom", {}).get("secretKeyRef") if "name" in variable else None
                    if reference and reference["key"] in ("username", "password") and variable["name"][:5] != "CLONE":
                        assert reference["name"] in made, variable


@given(combinations())
def test_the_same_context_gives_the_same_manifests(ctx: Context) -> None:
    assert desired_children(ctx) == desired_children(ctx)
    assert notices(ctx) == notices(ctx)
    assert len(unhandled_fields(ctx.postgresql)) == len({one.path for one in unhandled_fields(ctx.postgresql)})


@given(combinations())
def test_passwords_are_never_shown(ctx: Context) -> None:
    assert PASSWORD not in repr(desired_children(ctx))
    assert PASSWORD not in repr(ctx)
