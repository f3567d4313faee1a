"""Pods of small shell programs: what they find, what becomes of them, what is said about them."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from local_machine import LocalMachine, local_machine
from localkube.api import LogOptions, Status
from localkube.node import processes

EVERY_WAY = pytest.mark.parametrize("namespaces", [True, False], ids=["pid-namespace", "sub-reaper"])


def state(machine: LocalMachine, pod: str) -> str:
    """running, terminated, or the reason for waiting."""
    found = machine.container(pod)["state"]
    return str(found["waiting"]["reason"]) if "waiting" in found else next(iter(found))


def all_of(machine: LocalMachine, pod: str) -> set[int]:
    return processes.members(machine.container(pod)["containerID"].removeprefix("localkube://"))


async def test_environment() -> None:
    async with local_machine() as machine:
        data = {"user": "zalando", "password": "tops3cret"}
        machine.api.create("secrets", {"metadata": {"name": "s"}, "stringData": data})
        machine.api.create("configmaps", {"metadata": {"name": "c"}, "data": {"A": "1", "B": "2"}})
        env = [
            {"name": "PLAIN", "value": "$(HOSTNAME)-$(PX_A)-$$(PX_A)-$(UNKNOWN)"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
            {"name": "MISSING", "valueFrom": {"secretKeyRef": {"name": "s", "key": "no", "optional": True}}},
            {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['team']"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ]
        machine.make_pod(
            "p",
            "env; echo args $0 $1; sleep 1000",
            args=["$(PX_B)", "two"],
            env=env,
            envFrom=[{"prefix": "PX_", "configMapRef": {"name": "c"}}],
            metadata={"labels": {"team": "acid"}},
        )
        lines = set((await machine.logged("p", "args")).splitlines())
        address = machine.pod("p")["status"]["podIP"]
        assert {
            "PLAIN=p-1-$(PX_A)-$(UNKNOWN)",
            "PASSWORD=tops3cret",
            "LABEL=acid",
            f"IP={address}",
            f"PGHERD_LISTEN_ADDRESS={address}",
            f"PGHERD_POD_ROOT={machine.root('p', 'c')}",
            "NODE=localkube",
            "PX_B=2",
            "args 2 two",
        } <= lines
        assert not any(line.startswith("MISSING=") for line in lines)


async def test_what_a_container_lacks_is_said_and_waited_for() -> None:
    async with local_machine() as machine:
        need = [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]
        machine.make_pod("p", "echo have $S; sleep 1000", env=need)
        await machine.until("it waits", lambda: state(machine, "p") == "CreateContainerConfigError")
        assert machine.container("p")["state"]["waiting"]["message"] == 'secret "late" not found'
        assert machine.pod("p")["status"]["phase"] == "Pending"
        machine.api.create("secrets", {"metadata": {"name": "late"}, "stringData": {"k": "v"}})
        await machine.logged("p", "have v")


async def test_an_image_that_is_not_a_local_program() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "true", image="docker.io/library/postgres:17")
        await machine.until("pull fails", lambda: state(machine, "p") == "ErrImagePull")
        message = machine.container("p")["state"]["waiting"]["message"]
        assert "docker.io/library/postgres:17" in message
        assert "test/patroni, test/python" in message
        await machine.until("back-off", lambda: state(machine, "p") == "ImagePullBackOff")


async def test_volumes_follow_their_objects() -> None:
    async with local_machine() as machine:
        machine.api.create("secrets", {"metadata": {"name": "s"}, "stringData": {"a": "1", "b": "2"}})
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        machine.api.create("persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": claim})
        volumes = [
            {"name": "secret", "secret": {"secretName": "s", "defaultMode": 0o400}},
            {"name": "some", "secret": {"secretName": "s", "items": [{"key": "b", "path": "deep/file"}]}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "shm", "emptyDir": {"medium": "Memory"}},
        ]
        mounts = [
            {"name": "secret", "mountPath": "/etc/secret"},
            {"name": "some", "mountPath": "/some"},
            {"name": "data", "mountPath": "/home/postgres/pgdata"},
            {"name": "data", "mountPath": "/sub", "subPath": "inner/part"},
            {"name": "shm", "mountPath": "/dev/shm"},
        ]
        script = (
            "cd $PGHERD_POD_ROOT; cat etc/secret/a some/deep/file; cat var/run/secrets/*/*/namespace;"
            "echo x > sub/f && cat home/postgres/pgdata/inner/part/f; echo y > dev/shm/y; echo end; sleep 1000"
        )
        machine.make_pod("p", script, volumeMounts=mounts, spec={"volumes": volumes})
        assert (await machine.logged("p", "end")).split() == ["12defaultx", "end"]
        file = machine.root("p", "c") / "etc/secret/a"
        assert file.stat().st_mode & 0o777 == 0o400
        change = {"data": {"a": "bmV3", "b": None}}
        machine.api.patch("secrets", "default", "s", change)
        await machine.until("the file follows", lambda: file.read_text() == "new")
        folders = list((machine.settings.home / "claims").glob("default_data_*"))
        machine.api.delete("persistentvolumeclaims", "default", "data")
        machine.api.delete("pods", "default", "p", grace=0)
        await machine.until("the claim's folder goes with it", lambda: not folders[0].exists())


async def test_logs() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "for i in 1 2 3 4 5; do echo line $i; done; sleep 1000")
        await machine.logged("p", "line 5")
        assert await machine.logs("p", tail=2) == "line 4\nline 5\n"
        assert await machine.logs("p", tail=0) == ""
        with pytest.raises(Status) as refusal:
            await machine.logs("p", previous=True)
        assert refusal.value.code == 400


async def test_following_a_log_ends_with_the_container() -> None:
    async with local_machine() as machine:
        script = "echo one; while ! test -e $PGHERD_POD_ROOT/go; do sleep 0.1; done; echo two"
        machine.make_pod("p", script, spec={"restartPolicy": "Never"})
        await machine.logged("p", "one")
        seen: list[bytes] = []
        async for chunk in machine.agent.logs("default", "p", "c", LogOptions(follow=True)):
            seen.append(chunk)
            (machine.root("p", "c") / "go").touch()
        assert b"".join(seen) == b"one\ntwo\n"
        await machine.until("it has succeeded", lambda: machine.pod("p")["status"]["phase"] == "Succeeded")


async def test_crash_loop() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "echo run; exit 3")
        await machine.until("back-off", lambda: state(machine, "p") == "CrashLoopBackOff")
        status = machine.container("p")
        assert status["restartCount"] == 1
        assert status["lastState"]["terminated"]["exitCode"] == 3
        assert status["lastState"]["terminated"]["reason"] == "Error"
        assert await machine.logs("p", previous=True) == "run\n"
        reasons = {event["reason"] for event in machine.api.list("events")}
        assert {"Scheduled", "Pulled", "Created", "Started", "BackOff"} <= reasons


@pytest.mark.parametrize(
    ("policy", "code", "phase", "restarts"),
    [("Never", 0, "Succeeded", 0), ("Never", 4, "Failed", 0), ("OnFailure", 0, "Succeeded", 0)],
)
async def test_phases_of_pods_that_end(policy: str, code: int, phase: str, restarts: int) -> None:
    async with local_machine() as machine:
        machine.make_pod("p", f"exit {code}", spec={"restartPolicy": policy})
        await machine.until(phase, lambda: machine.pod("p")["status"]["phase"] == phase)
        assert machine.container("p")["restartCount"] == restarts
        assert machine.container("p")["state"]["terminated"]["exitCode"] == code
        await machine.cluster.restart()
        await machine.until("it stays", lambda: machine.pod("p")["status"]["phase"] == phase)


async def test_a_program_that_is_not_there() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "", command=["no-such-program"], spec={"restartPolicy": "Never"})
        await machine.until("it fails", lambda: machine.pod("p")["status"]["phase"] == "Failed")
        ended = machine.container("p")["state"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)


async def test_init_containers_run_first_and_in_order() -> None:
    async with local_machine() as machine:
        claim = [{"name": "v", "mountPath": "/v"}]

        def init(name: str) -> dict[str, object]:
            script = f"echo {name} >> $PGHERD_POD_ROOT/v/order"
            return {"name": name, "image": "test/python", "command": ["sh", "-c", script], "volumeMounts": claim}

        machine.make_pod(
            "p",
            "cat $PGHERD_POD_ROOT/v/order; echo end; sleep 1000",
            volumeMounts=claim,
            spec={"initContainers": [init("a"), init("b")], "volumes": [{"name": "v", "emptyDir": {}}]},
        )
        assert (await machine.logged("p", "end")).split() == ["a", "b", "end"]


@EVERY_WAY
async def test_the_end_of_a_pod(namespaces: bool) -> None:
    """SIGTERM, and at the end SIGKILL for whoever does not listen or has stolen away."""
    async with local_machine(namespaces=namespaces) as machine:
        script = "trap 'echo term' TERM; setsid sh -c 'sleep 1000 & sleep 1001' & while :; do sleep 0.2; done"
        machine.make_pod("p", f"{script}", spec={"terminationGracePeriodSeconds": 3})
        await machine.running("p")
        await machine.until("its children run", lambda: len(all_of(machine, "p")) >= 4)
        pids = all_of(machine, "p")
        log = machine.root("p", "c").parent / ".logs/c.0.log"
        machine.api.delete("pods", "default", "p")
        await machine.until("SIGTERM has come", lambda: "term" in log.read_text())
        assert machine.pod("p")["metadata"]["deletionTimestamp"]
        await machine.until("the object is gone", lambda: not machine.api.list("pods"))
        assert not {pid for pid in pids if processes.is_running(pid)}
        assert not list((machine.settings.home / "pods").iterdir())


@EVERY_WAY
async def test_a_killed_shim_takes_its_container_along(namespaces: bool) -> None:
    async with local_machine(namespaces=namespaces) as machine:
        machine.make_pod("p", "setsid sleep 1000 & sleep 1001")
        await machine.running("p")
        await machine.until("both run", lambda: len(all_of(machine, "p")) >= 3)
        pids = all_of(machine, "p")
        machine.cluster.faults.add("hold-restart", name="p")
        os.kill(min(pids), signal.SIGKILL)
        await machine.until("its end is seen", lambda: state(machine, "p") == "terminated")
        assert not {pid for pid in pids if processes.is_running(pid)}
        machine.cluster.faults.clear()
        await machine.until("it runs again", lambda: machine.container("p")["restartCount"] == 1)


async def test_force_deletion_kills_at_once_and_the_next_of_the_name_waits() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "trap '' TERM; while :; do sleep 0.1; done")
        await machine.running("p")
        pids = all_of(machine, "p")
        machine.api.delete("pods", "default", "p", grace=0)
        machine.make_pod("p", "echo second; sleep 1000")
        await machine.logged("p", "second")
        assert not {pid for pid in pids if processes.is_running(pid)}


@EVERY_WAY
async def test_exec(namespaces: bool) -> None:
    async with local_machine(namespaces=namespaces) as machine:
        machine.make_pod("p", "sleep 1000", env=[{"name": "MINE", "value": "yes"}], workingDir="/work")
        await machine.running("p")
        code, output = await machine.run("p", "sh", "-c", "echo $MINE; pwd; id -u; echo e >&2; exit 7")
        root = machine.root("p", "c")
        owner = (root / "work").stat().st_uid
        assert (code, output.split()) == (7, ["yes", str(root / "work"), str(owner), "e"])
        assert owner != 0
        session = await machine.agent.exec("default", "p", "c", ["cat"], tty=False, stdin=True)
        await session.write(b"through\n")
        await session.close_stdin()
        assert [chunk async for chunk in session.stdout()] == [b"through\n"]
        assert await session.wait() == 0
        session = await machine.agent.exec("default", "p", "c", ["sh"], tty=True, stdin=True)
        await session.resize(99, 33)
        await session.write(b"tty; stty size; exit 5\n")
        output = b"".join([chunk async for chunk in session.stdout()]).decode()
        assert "/dev/pts/" in output
        assert "33 99" in output
        assert await session.wait() == 5
        session = await machine.agent.exec("default", "p", "c", ["sleep", "4242"], tty=False, stdin=False)
        await machine.until("it runs", lambda: any("4242" in line for line in command_lines(machine, "p")))
        await session.kill()
        await machine.until("it is gone", lambda: not any("4242" in line for line in command_lines(machine, "p")))


def command_lines(machine: LocalMachine, pod: str) -> list[str]:
    lines = []
    for pid in all_of(machine, pod):
        try:
            lines.append(Path(f"/proc/{pid}/cmdline").read_text())
        except OSError:
            continue
    return lines


async def test_probes() -> None:
    async with local_machine() as machine:

        def when(file: str, failures: int) -> dict[str, object]:
            return {"httpGet": {"path": file, "port": 8080}, "periodSeconds": 1, "failureThreshold": failures}

        machine.make_pod(
            "p",
            "cd $PGHERD_POD_ROOT; touch alive; exec python3 -m http.server 8080 --bind $PGHERD_LISTEN_ADDRESS",
            readinessProbe=when("ready", 1),
            livenessProbe=when("alive", 5),
        )
        await machine.running("p")
        root = machine.root("p", "c")

        def ready() -> str:
            return next(str(c["status"]) for c in machine.pod("p")["status"]["conditions"] if c["type"] == "Ready")

        assert ready() == "False"
        (root / "ready").touch()
        await machine.until("ready", lambda: ready() == "True")
        (root / "ready").unlink()
        await machine.until("unready", lambda: ready() == "False")
        restarts = machine.container("p")["restartCount"]
        (root / "alive").unlink()
        await machine.until("restarted", lambda: machine.container("p")["restartCount"] > restarts)
        reasons = {event["reason"] for event in machine.api.list("events")}
        assert {"Unhealthy", "Killing"} <= reasons


async def test_what_only_a_real_cluster_does_is_said() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "sleep 1000", startupProbe={"tcpSocket": {"port": 80}})
        await machine.until("said", lambda: state(machine, "p") == "CreateContainerConfigError")


@EVERY_WAY
async def test_a_new_localkube_takes_over_what_it_finds(namespaces: bool) -> None:
    async with local_machine(namespaces=namespaces) as machine:
        for name in ("stays", "ends", "deleted"):
            script = "while ! test -e $PGHERD_POD_ROOT/go; do sleep 0.1; done; exit 6"
            machine.make_pod(name, script, spec={"restartPolicy": "Never"})
        for name in ("stays", "ends", "deleted"):
            await machine.running(name)
        address, pids = machine.pod("stays")["status"]["podIP"], all_of(machine, "stays")
        ending, doomed = all_of(machine, "ends"), all_of(machine, "deleted")
        go = machine.root("ends", "c") / "go"
        runners, machine.cluster.runners = machine.cluster.runners, ()
        await machine.cluster.restart()
        go.touch()
        await machine.until("it has ended unseen", lambda: not any(processes.is_running(pid) for pid in ending))
        machine.api.delete("pods", "default", "deleted", grace=0)
        machine.cluster.runners = runners
        await machine.cluster.restart()
        await machine.until("its code is known", lambda: machine.pod("ends")["status"]["phase"] == "Failed")
        assert machine.container("ends")["state"]["terminated"]["exitCode"] == 6
        await machine.until("no stranger", lambda: not any(processes.is_running(pid) for pid in doomed))
        assert pids & all_of(machine, "stays") >= {min(pids)}
        assert machine.container("stays")["restartCount"] == 0
        assert machine.pod("stays")["status"]["podIP"] == address
        (machine.root("stays", "c") / "go").touch()
        await machine.until("it is still watched", lambda: machine.pod("stays")["status"]["phase"] == "Failed")


async def test_drain_ends_all_and_the_next_start_resumes() -> None:
    async with local_machine() as machine:
        machine.make_pod("p", "trap 'echo clean; exit 0' TERM; echo up; while :; do sleep 0.1; done")
        await machine.logged("p", "up")
        pids, uid = all_of(machine, "p"), machine.pod("p")["metadata"]["uid"]
        await asyncio.wait_for(machine.agent.drain(), 60)
        assert not {pid for pid in pids if processes.is_running(pid)}
        assert machine.pod("p")["metadata"]["uid"] == uid
        machine.agent._draining = False  # a new process would begin like this
        await machine.cluster.restart()
        await machine.until("it runs again", lambda: machine.container("p")["restartCount"] == 1)
        assert await machine.logs("p", previous=True) == "up\nclean\n"
        await machine.running("p")
        await processes.end_pods(machine.settings.home)
        await machine.until("killed from outside, it comes back", lambda: machine.container("p")["restartCount"] == 2)


async def test_a_restart_of_localkube_rewrites_nothing() -> None:
    """An operator that watches would have to work on every object again."""
    async with local_machine() as machine:
        ready = {"exec": {"command": ["test", "-e", "etc"]}, "periodSeconds": 1}
        init = {"name": "i", "image": "test/python", "command": ["true"]}
        labels = {"app": "x"}
        machine.make_pod(
            "p", "sleep 1000", readinessProbe=ready, metadata={"labels": labels}, spec={"initContainers": [init]}
        )
        machine.make_pod("q", "exit 0", spec={"restartPolicy": "Never"})
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        machine.api.create("persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": claim})
        service = {"selector": labels, "ports": [{"port": 80}], "type": "LoadBalancer"}
        machine.api.create("services", {"metadata": {"name": "s"}, "spec": service})
        await machine.until("ready", lambda: machine.container("p")["ready"])
        await machine.until(
            "endpoints", lambda: machine.api.get("endpoints", "default", "s")["subsets"][0]["addresses"]
        )
        await machine.until("done", lambda: machine.pod("q")["status"]["phase"] == "Succeeded")

        def versions() -> dict[str, str]:
            kinds = (
                "pods",
                "services",
                "endpoints",
                "persistentvolumeclaims",
                "nodes",
                "serviceaccounts",
                "namespaces",
            )
            kinds = (*kinds, "endpointslices.discovery.k8s.io", "events")
            objects = [(kind, obj["metadata"]) for kind in kinds for obj in machine.api.list(kind)]
            return {f"{kind} {meta.get('namespace')}/{meta['name']}": meta["resourceVersion"] for kind, meta in objects}

        async def quiet() -> dict[str, str]:
            """What it is once nothing has changed for two probes' time."""
            while True:
                now = versions()
                await asyncio.sleep(2)
                if versions() == now:
                    return now

        before = await quiet()
        await machine.cluster.restart()
        code, _ = await machine.run("p", "true")
        assert code == 0
        assert await quiet() == before


async def test_a_pod_deleted_before_it_could_start() -> None:
    async with local_machine() as machine:
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "never"}}]
        mounts = [{"name": "data", "mountPath": "/data"}]
        machine.make_pod("unbound", "sleep 1", volumeMounts=mounts, spec={"volumes": volumes})
        machine.make_pod("at-once", "sleep 1000")
        machine.api.delete("pods", "default", "at-once")
        await machine.until("it waits", lambda: "FailedMount" in {e["reason"] for e in machine.api.list("events")})
        machine.api.delete("pods", "default", "unbound")
        await machine.until("both are gone", lambda: not machine.api.list("pods"))
