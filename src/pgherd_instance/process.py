"""What Patroni, and through it PostgreSQL, archive commands and callbacks, see of the environment.

A white list (specification: instance 1.2): secrets and a user's own variables stay out of the server's reach.
"""

from __future__ import annotations

from pgherd_instance.connection import PATRONI_YML
from pgherd_instance.environment import Environment
from pgherd_instance.machine import has_locale

PREFIXES = ("KUBERNETES_SERVICE", "KUBERNETES_PORT", "KUBERNETES_ROLE", "PGHERD_")
NAMES = (
    "POD_IP", "POD_NAMESPACE", "HOSTNAME", "PATH", "PGHOME", "LC_ALL", "ENABLE_PG_MON",  # the contract's
    "KUBECONFIG", "PYTHONPATH", "PYTHONUNBUFFERED", "TZ", "TMPDIR",  # where the pod is a process of the machine
)  # fmt: skip
SERVICE = ("KUBERNETES_SERVICE", "KUBERNETES_PORT")


def patroni_environment(environment: Environment, bin_dir: str) -> dict[str, str]:
    """``LC_ALL`` is made a UTF-8 locale that exists; a kubeconfig excludes the service account of the machine.

    Patroni prefers a service account over ``KUBECONFIG``. A node that gives a kubeconfig may itself run in a pod of
    some other cluster, whose API server must not be asked.
    """
    given = environment.variables
    kept = {name: value for name, value in given.items() if name in NAMES or name.startswith(PREFIXES)}
    if given.get("KUBECONFIG"):
        kept = {name: value for name, value in kept.items() if not name.startswith(SERVICE)}
    locale = given.get("LC_ALL", "")
    kept["LC_ALL"] = locale if _is_utf8(locale) and has_locale(locale) else "C.UTF-8" if has_locale("C.UTF-8") else "C"
    paths = environment.paths
    search = [bin_dir, *([str(paths.user_programs)] if paths.root else []), given.get("PATH", "/usr/bin:/bin")]
    return {
        **kept,
        "PATH": ":".join(search),
        "HOME": str(paths.real(paths.home)),
        # What connects from inside the server without naming a host (pg_cron, dblink) finds this server.
        "PGHOST": str(paths.sockets(environment.port)),
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",
        PATRONI_YML: str(paths.patroni_yml),
    }


def _is_utf8(locale: str) -> bool:
    return locale.lower().replace("-", "").endswith(".utf8")
