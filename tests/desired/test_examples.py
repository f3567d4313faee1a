"""The worked examples of the specification (objects.md 17-19), object by object."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from desired.contexts import context
from golden.files import ROOT, identity, load, objects
from golden.normalise import normalised
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.manifest import revealed
from pgherd.desired.statefulset import desired_statefulset
from pgherd.desired.unhandled import unhandled_fields


def example_a() -> Context:
    return context(load("a", "input.yaml"))


def example_b() -> Context:
    return context(
        load("b", "input.yaml"),
        load("b", "configuration.yaml"),
        pod_configmap=load("b", "environment.yaml"),
        pod_secret_keys=("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    )


def example_c() -> Context:
    return context(load("c", "input.yaml"), {"kubernetes_use_configmaps": False})


EXAMPLES = {"a": example_a, "b": example_b, "c": example_c}
CASES = [(example, name) for example in EXAMPLES for name in objects(example)]


@pytest.mark.parametrize(("example", "name"), CASES)
def test_object_is_the_reference_s(example: str, name: str) -> None:
    children = {identity(child): child for child in desired_children(EXAMPLES[example]())}
    assert normalised(children[name]) == normalised(objects(example)[name])


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_object_is_missing_or_made_up(example: str) -> None:
    assert sorted(map(identity, desired_children(EXAMPLES[example]()))) == sorted(objects(example))


def environment(statefulset: dict[str, Any]) -> list[dict[str, Any]]:
    variables = statefulset["spec"]["template"]["spec"]["containers"][0]["env"]
    return [{key: value for key, value in variable.items() if value != ""} for variable in variables]


@pytest.mark.parametrize("example", EXAMPLES)
def test_environment_is_the_reference_s_in_text_and_order(example: str) -> None:
    """Stricter than semantic identity: order matters for ``$(NAME)``, and the dynamic configuration for a bootstrap."""
    ctx = EXAMPLES[example]()
    expected = objects(example)[f"StatefulSet/{ctx.name}"]
    assert environment(revealed(desired_statefulset(ctx))) == environment(expected)


def test_order_of_creation() -> None:
    kinds = [child["kind"] for child in desired_children(example_c())]
    assert kinds[:3] == ["Endpoints", "Service", "Service"]
    assert kinds.index("Secret") < kinds.index("StatefulSet")
    names = [identity(child) for child in desired_children(example_b())]
    assert names.index("Secret/acid-shop-pooler-u") < names.index("Deployment/acid-shop-pooler")


def test_the_minimal_example() -> None:
    ctx = context(yaml.safe_load((ROOT.parents[1] / "examples" / "minimal.yaml").read_text(encoding="utf-8")))
    suffix = "acid-minimal-cluster.credentials.postgresql.acid.zalan.do"
    assert [identity(child) for child in desired_children(ctx)] == [
        "Service/acid-minimal-cluster",
        "Service/acid-minimal-cluster-repl",
        f"Secret/postgres.{suffix}",
        f"Secret/standby.{suffix}",
        f"Secret/foo-user.{suffix}",
        f"Secret/zalando.{suffix}",
        "PodDisruptionBudget/postgres-acid-minimal-cluster-pdb",
        "PodDisruptionBudget/postgres-acid-minimal-cluster-critical-op-pdb",
        "StatefulSet/acid-minimal-cluster",
    ]
    assert {child["metadata"]["namespace"] for child in desired_children(ctx)} == {"default"}
    assert [one.path for one in unhandled_fields(ctx.postgresql)] == ["spec.preparedDatabases"]
