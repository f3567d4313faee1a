"""Whose a Secret is that lies in another namespace than its cluster (spec lifecycle 4.13).

Labels name a cluster by its bare name, and each namespace may have a cluster of that name. So such a Secret also
carries an annotation with the whole name of its cluster. What names another cluster is never written or deleted; nor is
deleted what names none.
"""

from __future__ import annotations

from pgherd.facts.view import View

CLUSTER = "pgherd.io/cluster"
"""Annotation of a Secret outside the namespace of its cluster: ``NAMESPACE/NAME`` of the resource."""


def claimed_by(view: View) -> str:
    """The cluster that a Secret names as its own; empty when it names none."""
    return view.metadata.annotations.get(CLUSTER, "")
