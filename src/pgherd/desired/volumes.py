"""Volumes of a database pod and where each container mounts them (spec objects.md 4.6).

The data volume is a claim; the rest follows in a fixed order, and mounts in each container follow the same order. A
volume that cannot be mounted is left out altogether, and :attr:`PodVolumes.skipped` says why (the reference leaves a
mount without a volume in one of these cases, quirk Q16).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present, without_nulls
from pgherd.desired.postgres_environment import DATA_PATH
from pgherd.desired.security import is_restricted
from pgherd.desired.tls import certificates

POSTGRES = "postgres"


@dataclass(frozen=True)
class Placement:
    """One volume with its mount and the containers that get it. ``None`` = all containers of the pod."""

    volume: Manifest
    mount: Manifest
    containers: frozenset[str] | None = frozenset({POSTGRES})


@dataclass(frozen=True)
class PodVolumes:
    """``spec.volumes`` of the pod, the placements, and what was left out (sentences)."""

    placements: tuple[Placement, ...]
    skipped: tuple[str, ...] = ()

    @property
    def volumes(self) -> list[Manifest]:
        """Each volume once, in order."""
        return list({placement.volume["name"]: placement.volume for placement in self.placements}.values())

    def mounts(self, container: str) -> list[Manifest]:
        """Mounts of one container besides the data volume."""
        return [
            placement.mount
            for placement in self.placements
            if placement.containers is None or container in placement.containers
        ]


def data_mount(ctx: Context) -> Manifest:
    """Mount of the claim, in the database container and in every sidecar."""
    volume = ctx.postgresql.spec.volume
    return present({"name": "pgdata", "mountPath": DATA_PATH, **_sub_path(volume.sub_path, volume.is_sub_path_expr)})


def pod_volumes(ctx: Context) -> PodVolumes:
    """Return all volumes but the data volume.

    :raises pgherd.errors.ManifestError: two different volumes have one name.
    """
    placements = [*_memory_volumes(ctx), *_configured_secret(ctx)]
    skipped: list[str] = []
    paths = {DATA_PATH: "the data volume"}
    for placement in [*_additional_volumes(ctx), *_certificate_volumes(ctx)]:
        name, path = placement.volume["name"], placement.mount["mountPath"]
        if path in paths:
            skipped.append(f"volume {name} is left out: its mountPath {path} belongs to {paths[path]}")
            continue
        paths[path] = f"volume {name}"
        placements.append(placement)
    placements += _writable_folders(ctx, placements)
    _refuse_ambiguous_names(ctx, placements)
    return PodVolumes(tuple(placements), tuple(skipped))


def secret_placement(ctx: Context) -> Placement | None:
    """The Secret that the configuration mounts into all containers, of backup jobs too."""
    cloud = ctx.config.aws_or_gcp
    if not cloud.additional_secret_mount:
        return None
    name = cloud.additional_secret_mount
    return Placement(
        {"name": name, "secret": {"secretName": name}},
        {"name": name, "mountPath": cloud.additional_secret_mount_path},
        None,
    )


def _memory_volumes(ctx: Context) -> list[Placement]:
    """A manifest's ``enableShmVolume: false`` does not switch the volume off while the option is on (quirk Q15)."""
    placements = []
    if ctx.postgresql.spec.enable_shm_volume or ctx.config.enable_shm_volume:
        placements.append(_in_memory("dshm", "/dev/shm", frozenset({POSTGRES})))
    if ctx.config.kubernetes.share_pgsocket_with_sidecars:
        placements.append(_in_memory("postgresql-run", "/var/run/postgresql", None))
    return placements


def _in_memory(name: str, path: str, containers: frozenset[str] | None) -> Placement:
    volume = {"name": name, "emptyDir": {"medium": "Memory"}}
    return Placement(volume, {"name": name, "mountPath": path}, containers)


def _configured_secret(ctx: Context) -> Sequence[Placement]:
    placement = secret_placement(ctx)
    return (placement,) if placement else ()


def _additional_volumes(ctx: Context) -> list[Placement]:
    placements = []
    for index, asked in enumerate(ctx.postgresql.spec.additional_volumes or ()):
        if not asked.volume_source:
            # Kubernetes would take an emptyDir for it, and data written there would be lost without a word.
            raise ctx.fault(
                f"spec.additionalVolumes[{index}].volumeSource",
                "names no kind of volume",
                cure="see `kubectl explain pod.spec.volumes`",
            )
        targets = frozenset(asked.target_containers or (POSTGRES,))
        mount = {
            "name": asked.name,
            "mountPath": asked.mount_path,
            **_sub_path(asked.sub_path, asked.is_sub_path_expr),
        }
        placements.append(
            Placement(
                {"name": asked.name, **without_nulls(asked.volume_source)},
                present(mount),
                None if "all" in targets else targets,
            )
        )
    return placements


def _certificate_volumes(ctx: Context) -> list[Placement]:
    tls = certificates(ctx)
    if tls is None:
        return []
    volumes = {volume["name"]: volume for volume in tls.volumes}
    return [Placement(volumes[mount["name"]], mount) for mount in tls.mounts]


def _writable_folders(ctx: Context, placements: Sequence[Placement]) -> Iterator[Placement]:
    """Where the image writes beside the data; the root file system of a restricted pod is read-only.

    What is at ``/run`` holds passwords, so it stays in memory. A folder that the manifest mounts itself is left to it.
    """
    if not is_restricted(ctx):
        return
    taken = {
        placement.mount["mountPath"] for placement in placements if POSTGRES in (placement.containers or [POSTGRES])
    }
    for name, path, source in (("writable-run", "/run", {"medium": "Memory"}), ("writable-tmp", "/tmp", {})):
        if path not in taken:
            yield Placement({"name": name, "emptyDir": source}, {"name": name, "mountPath": path})


def _sub_path(path: str | None, is_expression: bool | None) -> Manifest:
    return {"subPathExpr" if is_expression else "subPath": path}


def _refuse_ambiguous_names(ctx: Context, placements: Sequence[Placement]) -> None:
    seen: dict[str, Manifest] = {"pgdata": {}}
    for placement in placements:
        name = placement.volume["name"]
        if seen.setdefault(name, placement.volume) != placement.volume:
            raise ctx.fault(
                "spec.additionalVolumes",
                "two different volumes of the pod have the same name",
                cure="rename the additional volume; the pod has pgdata, dshm, postgresql-run, writable-* and Secrets",
                value=name,
            )
