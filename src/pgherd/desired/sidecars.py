"""Containers beside PostgreSQL (spec objects.md 4.7): the manifest's, the configuration's, and scalyr's.

The first container of a name wins; later ones are dropped and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.environment import (
    Environment,
    appended,
    field_variable,
    hidden_variable,
    secret_variable,
    user_variable,
    variable,
)
from pgherd.desired.manifest import Manifest, present, without_nulls
from pgherd.desired.names import superuser_secret
from pgherd.desired.resources import Asked, asked_by, container_resources, postgres_defaults
from pgherd.desired.security import with_security
from pgherd.desired.volumes import POSTGRES, PodVolumes, data_mount


@dataclass(frozen=True)
class Sidecars:
    """Containers in order, and the names that were dropped because an earlier container has them."""

    containers: tuple[Manifest, ...]
    dropped: tuple[str, ...]


def sidecars(ctx: Context, volumes: PodVolumes) -> Sidecars:
    """Return all sidecars, complete.

    :raises pgherd.errors.ManifestError: a sidecar of the manifest has no image, or a quantity cannot be read.
    """
    kept: dict[str, Manifest] = {}
    dropped: list[str] = []
    for container in _declared(ctx):
        name = container["name"]
        if name in kept or name == POSTGRES:
            dropped.append(name)
        else:
            kept[name] = _completed(ctx, container, volumes)
    return Sidecars(tuple(kept.values()), tuple(dropped))


def _declared(ctx: Context) -> Iterator[Manifest]:
    yield from _from_manifest(ctx)
    yield from (without_nulls(container) for container in ctx.config.sidecars or ())
    yield from _from_images(ctx)
    yield from _scalyr(ctx)


def _from_manifest(ctx: Context) -> Iterator[Manifest]:
    for index, sidecar in enumerate(ctx.postgresql.spec.sidecars or ()):
        path = f"spec.sidecars[{index}]"
        if not sidecar.image:
            raise ctx.fault(f"{path}.image", "is missing", cure="name the image of the sidecar")
        yield present(
            {
                "name": sidecar.name or f"sidecar-{index}",
                "image": sidecar.image,
                "imagePullPolicy": "IfNotPresent",
                "command": list(sidecar.command or ()),
                "ports": without_nulls(sidecar.ports or []),
                "env": list(sidecar.env or ()),
                "resources": container_resources(
                    ctx, asked_by(sidecar.resources, f"{path}.resources"), postgres_defaults(ctx)
                ),
            }
        )


def _from_images(ctx: Context) -> Iterator[Manifest]:
    images = ctx.config.sidecar_docker_images or {}
    resources = container_resources(ctx, Asked({}, {}, "configuration"), postgres_defaults(ctx)) if images else {}
    for name in sorted(images):
        yield present({"name": name, "image": images[name], "imagePullPolicy": "IfNotPresent", "resources": resources})


def _scalyr(ctx: Context) -> Iterator[Manifest]:
    scalyr = ctx.config.scalyr
    if not (scalyr.scalyr_api_key and scalyr.scalyr_image):
        return
    environment = [hidden_variable("SCALYR_API_KEY", scalyr.scalyr_api_key), variable("SCALYR_SERVER_HOST", ctx.name)]
    if scalyr.scalyr_server_url:
        environment.append(variable("SCALYR_SERVER_URL", scalyr.scalyr_server_url))
    asked = Asked(
        {"cpu": scalyr.scalyr_cpu_request, "memory": scalyr.scalyr_memory_request},
        {"cpu": scalyr.scalyr_cpu_limit, "memory": scalyr.scalyr_memory_limit},
        "configuration.scalyr",
    )
    yield present(
        {
            "name": "scalyr-sidecar",
            "image": scalyr.scalyr_image,
            "imagePullPolicy": "IfNotPresent",
            "env": environment,
            "resources": container_resources(ctx, asked, postgres_defaults(ctx)),
        }
    )


def _completed(ctx: Context, container: Manifest, volumes: PodVolumes) -> Manifest:
    """Add the data volume, the pod's shared mounts, and the variables that every sidecar gets."""
    own = map(user_variable, container.get("env", ()))
    mounts = [*container.get("volumeMounts", ()), data_mount(ctx), *volumes.mounts(container["name"])]
    complete = {**container, "env": appended(_injected(ctx), own), "volumeMounts": unique_mounts(mounts)}
    return with_security(ctx, complete)


def unique_mounts(mounts: list[Manifest]) -> list[Manifest]:
    """Return the mounts without those whose path is taken: Kubernetes refuses a container with two."""
    first: dict[str, Manifest] = {}
    for mount in mounts:
        first.setdefault(mount["mountPath"], mount)
    return list(first.values())


def _injected(ctx: Context) -> Environment:
    return [
        field_variable("POD_NAME", "metadata.name"),
        field_variable("POD_NAMESPACE", "metadata.namespace"),
        variable("POSTGRES_USER", ctx.config.users.super_username),
        secret_variable("POSTGRES_PASSWORD", superuser_secret(ctx), "password"),
    ]
