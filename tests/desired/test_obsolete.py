"""What goes when a feature is switched off, and that nothing wanted is among it."""

from __future__ import annotations

from hypothesis import given

from desired.contexts import context, manifest
from desired.test_combinations import combinations
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.obsolete import obsolete_children


def names(ctx: Context) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in obsolete_children(ctx)]


def test_all_features_off() -> None:
    assert names(context()) == [
        ("CronJob", "logical-backup-acid-demo"),
        ("Service", "acid-demo-pooler"),
        ("Deployment", "acid-demo-pooler"),
        ("Secret", "acid-demo-pooler-u"),
        ("Service", "acid-demo-pooler-repl"),
        ("Deployment", "acid-demo-pooler-repl"),
        ("Secret", "acid-demo-pooler-repl-u"),
    ]


def test_all_features_on() -> None:
    spec = {"enableConnectionPooler": True, "enableReplicaConnectionPooler": True, "enableLogicalBackup": True}
    assert names(context(manifest(**spec))) == []


def test_what_was_made_carries_the_labels_by_which_it_goes() -> None:
    """Including an inherited label and labels of the configuration."""
    options = {"cluster_labels": {"a": "b"}, "inherited_labels": ["env"]}
    metadata = {"labels": {"env": "prod"}}
    on = {"enableConnectionPooler": True, "enableReplicaConnectionPooler": True, "enableLogicalBackup": True}
    made = {
        (child["kind"], child["metadata"]["name"]): child["metadata"]["labels"]
        for child in desired_children(context(manifest(metadata=metadata, **on), options))
    }
    going = obsolete_children(context(manifest(metadata=metadata), options))
    assert len(going) == 7
    for one in going:
        assert one.labels.items() <= made[one.kind, one.name].items()


@given(combinations())
def test_nothing_is_wanted_and_obsolete(ctx: Context) -> None:
    wanted = {(child["kind"], child["metadata"]["name"]) for child in desired_children(ctx)}
    assert wanted.isdisjoint(names(ctx))
