"""A container's root folder, and its volumes in it.

No mounts are made: a container has a folder of its own that stands for its file system's root (``PGHERD_POD_ROOT``), a
volume is a folder or tree of files of the pod, and a mount is a symbolic link to it. A claim's folder belongs to the
claim and stays when the pod goes. Secrets and ConfigMaps are written file by file with a rename, so a reader never sees
half of one, and are written again when they change.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localkube.api import Object, Status
from localkube.node.environment import ConfigError, Sources
from localkube.node.images import Image
from localkube.node.sandbox import Sandbox

SKELETON = ("etc", "home/postgres", "run/postgresql", "tmp", "usr/bin", "usr/lib/postgresql", "var/log", "var/lib")
TOKEN_FOLDER = "var/run/secrets/kubernetes.io/serviceaccount"


class MountError(Exception):
    """A volume is not there (yet); the start is tried again."""


def claim_folder(home: Path, claim: Object) -> Path:
    """Where the data of a PersistentVolumeClaim lives; another claim of the same name has another folder."""
    meta = claim["metadata"]
    return home.joinpath("claims", f"{meta['namespace']}_{meta['name']}_{meta['uid'][:8]}")


@dataclass(frozen=True)
class Volumes:
    """The volumes of one pod. ``folder`` is the pod's own."""

    home: Path
    folder: Path
    sources: Sources
    sandbox: Sandbox
    token: str
    """The service account's; empty for a pod that wants none."""

    def prepare(self) -> None:
        """Make or refresh all volumes.

        :raises MountError: a claim is not bound, or an object that a volume needs is missing.
        """
        for volume in self.sources.pod["spec"].get("volumes") or []:
            place = self._place(volume)
            try:
                files = list(self._files(volume, place))
            except ConfigError as error:
                raise MountError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from None
            if any(kind in volume for kind in ("secret", "configMap")):
                self._write_tree(place, files)

    def mount(self, container: Object, root: Path) -> None:
        """Link the container's mounts into its root, outer ones first."""
        by_name = {volume["name"]: volume for volume in self.sources.pod["spec"].get("volumes") or []}
        mounts = sorted(container.get("volumeMounts") or [], key=lambda mount: len(mount["mountPath"]))
        for mount in mounts:
            target = self._place(by_name[mount["name"]]) / (mount.get("subPath") or "")
            if not target.exists():
                self.make_folder(target)
            link = root / mount["mountPath"].strip("/")
            self.make_folder(link.parent)
            if link.is_symlink():
                link.unlink()
            elif link.is_dir():
                shutil.rmtree(link)
            link.symlink_to(target)

    def claims(self) -> list[Path]:
        """The folders of the pod's claims."""
        volumes = self.sources.pod["spec"].get("volumes") or []
        return [self._place(volume) for volume in volumes if "persistentVolumeClaim" in volume]

    def make_folder(self, path: Path) -> None:
        """With its parents, all belonging to the pods' user."""
        if not path.is_dir():
            self.make_folder(path.parent)
            path.mkdir(exist_ok=True)
            self.sandbox.own(path)

    def _place(self, volume: Object) -> Path:
        place = self.folder / ".volumes" / str(volume["name"])
        if claim := volume.get("persistentVolumeClaim"):
            place = claim_folder(self.home, self._claim(claim["claimName"]))
        elif "hostPath" in volume:
            return Path(str(volume["hostPath"]["path"]))
        self.make_folder(place)
        return place

    def _claim(self, name: str) -> Object:
        try:
            claim = self.sources.api.get("persistentvolumeclaims", self.sources.pod["metadata"]["namespace"], name)
        except Status:
            raise MountError(f'persistentvolumeclaim "{name}" not found') from None
        if (claim.get("status") or {}).get("phase") != "Bound":
            raise MountError(f'persistentvolumeclaim "{name}" is not bound')
        return claim

    def _files(self, volume: Object, place: Path) -> Iterator[tuple[Path, bytes, int]]:
        """Path, content and mode of each file of a volume that is made of API objects."""
        if secret := volume.get("secret"):
            yield from self._keys("secrets", secret | {"name": secret["secretName"]}, place, secret.get("defaultMode"))
        elif config := volume.get("configMap"):
            yield from self._keys("configmaps", config, place, config.get("defaultMode"))
        elif not any(kind in volume for kind in ("persistentVolumeClaim", "emptyDir", "hostPath")):
            kinds = ", ".join(sorted(set(volume) - {"name"}))
            raise ConfigError(f"localkube does not do this kind of volume: {kinds}; a real cluster does")

    def _keys(self, kind: str, reference: Object, place: Path, mode: int | None) -> Iterator[tuple[Path, bytes, int]]:
        data = self.sources.required(kind, reference)
        for item in reference.get("items") or [{"key": key, "path": key} for key in data]:
            if item["key"] in data:
                yield place / item["path"], data[item["key"]], item.get("mode") or mode or 0o644
            elif not reference.get("optional"):
                raise ConfigError(f"references non-existent key: {item['key']}")

    def _write_tree(self, place: Path, files: Sequence[tuple[Path, bytes, int]]) -> None:
        for path, content, mode in files:
            self.write(path, content, mode)
        wanted = {path for path, _, _ in files}
        for path in [path for path in place.rglob("*") if path.is_file() and path not in wanted]:
            path.unlink()

    def write(self, path: Path, content: bytes, mode: int = 0o644) -> None:
        """Whole or not at all; nothing happens if it is so already."""
        if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o7777 == mode:
            return
        self.make_folder(path.parent)
        draft = path.with_name(f".{path.name}.new")
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        draft.chmod(mode)
        self.sandbox.own(draft)
        draft.replace(path)

    def make_root(self, root: Path, image: Image) -> None:
        """The folders that a program of the image expects, and the image's programs."""
        for name in SKELETON:
            self.make_folder(root / name)
        if not (root / "var/run").is_symlink():
            (root / "var/run").symlink_to("../run")
        (root / "tmp").chmod(0o1777)
        for name, words in {"python3": ("{python}",), **image.programs}.items():
            quoted = " ".join(f"'{word.replace('{python}', self.sandbox.python)}'" for word in words)
            self.write(root / "usr/bin" / name, f'#!/bin/sh\nexec {quoted} "$@"\n'.encode(), 0o755)
        if self.token:
            self.write(root / TOKEN_FOLDER / "token", self.token.encode(), 0o600)
            namespace = self.sources.pod["metadata"]["namespace"]
            self.write(root / TOKEN_FOLDER / "namespace", namespace.encode())


def link_postgresql(root: Path, major: int, installed: Path) -> Path:
    """Show a major where Spilo's image has it, ``/usr/lib/postgresql/MAJOR``; returns its ``bin``."""
    link = root / "usr/lib/postgresql" / str(major)
    if not link.is_symlink() or os.readlink(link) != str(installed):
        link.unlink(missing_ok=True)
        link.symlink_to(installed)
    return link / "bin"
