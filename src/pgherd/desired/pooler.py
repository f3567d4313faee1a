"""Connection poolers: the Deployment with PgBouncer, its service, its user list (spec objects.md part 9).

Invariant: every change of the pod template replaces the pooler pods, and each replaced pod cuts its clients off. So the
template holds nothing that may change without need: lists are sorted, nothing here is drawn or counted.
"""

from __future__ import annotations

from pgherd.desired.affinity import pod_affinity, tolerations
from pgherd.desired.annotations import inherited_annotations, shared_pod_annotations, workload_annotations
from pgherd.desired.containers import container_ports, grace_period
from pgherd.desired.context import Context
from pgherd.desired.environment import Environment, secret_variable, variable
from pgherd.desired.labels import pooler_labels, pooler_selector
from pgherd.desired.manifest import Manifest, present
from pgherd.desired.names import Role, pooler_auth_secret, pooler_name, secret_name, service_name
from pgherd.desired.owners import child_metadata
from pgherd.desired.pooler_needs import pooler_user
from pgherd.desired.resources import Defaults, asked_by, container_resources
from pgherd.desired.secrets import encoded_secret
from pgherd.desired.security import pooler_container_security, pooler_security
from pgherd.desired.service_type import exposure, service_annotations, service_spec
from pgherd.desired.tls import certificates
from pgherd.facts.secret import Secret

_MAX_CLIENTS = "10000"
_DEFAULT_CONNECTIONS = 60

# User and group of the image.
_USER, _GROUP = 100, 101


def desired_pooler(ctx: Context, role: Role) -> tuple[Manifest, ...]:
    """Return the objects of one pooler, in the order of creation."""
    return (
        desired_pooler_auth_secret(ctx, role),
        desired_pooler_deployment(ctx, role),
        desired_pooler_service(ctx, role),
    )


def desired_pooler_auth_secret(ctx: Context, role: Role) -> Manifest:
    """Return the Secret with PgBouncer's ``userlist.txt``.

    :raises LookupError: the context lacks the credential of the pooler's role.
    """
    user = pooler_user(ctx)
    credential = ctx.credentials.get(user)
    if credential is None:
        raise LookupError(f"the context of {ctx.namespace}/{ctx.name} has no credential of role {user}")
    lines = [_user_line(credential.username, credential.password)]
    lines += [_user_line(name, ctx.infrastructure_roles[name].password) for name in sorted(ctx.infrastructure_roles)]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(
            ctx, pooler_auth_secret(ctx, role), labels=pooler_labels(ctx, role), annotations=inherited_annotations(ctx)
        ),
        "type": "Opaque",
        "data": {"userlist.txt": encoded_secret(Secret("".join(lines)))},
    }


def desired_pooler_service(ctx: Context, role: Role) -> Manifest:
    exposed = exposure(ctx, role, pooler=True)
    name = pooler_name(ctx, role)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(
            ctx,
            name,
            labels=pooler_selector(ctx, role),
            annotations=service_annotations(ctx, role, exposed, pooler=True),
        ),
        "spec": service_spec(ctx, exposed, name, {"connection-pooler": name}),
    }


def desired_pooler_deployment(ctx: Context, role: Role) -> Manifest:
    """Return the Deployment.

    :raises pgherd.errors.ManifestError: a quantity cannot be read.
    """
    template_metadata = {
        "namespace": ctx.namespace,
        "labels": pooler_labels(ctx, role),
        "annotations": shared_pod_annotations(ctx),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(
            ctx, pooler_name(ctx, role), labels=pooler_labels(ctx, role), annotations=workload_annotations(ctx)
        ),
        "spec": {
            "replicas": pooler_instances(ctx),
            "selector": {"matchLabels": pooler_selector(ctx, role)},
            "template": {"metadata": present(template_metadata), "spec": _pod(ctx, role)},
        },
    }


def pooler_instances(ctx: Context) -> int:
    """Number of pods of each pooler, at least one."""
    section = ctx.postgresql.spec.connection_pooler
    asked = section.number_of_instances if section is not None else None
    configured = ctx.config.connection_pooler.connection_pooler_number_of_instances
    return max(1, configured or 1) if asked is None else max(1, asked)


def _pod(ctx: Context, role: Role) -> Manifest:
    auth = pooler_auth_secret(ctx, role)
    tls = certificates(ctx)
    return present(
        {
            "serviceAccountName": ctx.config.kubernetes.pod_service_account_name,
            "terminationGracePeriodSeconds": grace_period(ctx),
            "securityContext": pooler_security(ctx, _USER, _GROUP),
            "tolerations": tolerations(ctx),
            "affinity": pod_affinity(ctx, pooler_selector(ctx, role)),
            "containers": [_container(ctx, role)],
            "volumes": [{"name": auth, "secret": {"secretName": auth}}, *(tls.volumes if tls else ())],
        }
    )


def _container(ctx: Context, role: Role) -> Manifest:
    section = ctx.postgresql.spec.connection_pooler
    tls = certificates(ctx)
    user_list = {
        "name": pooler_auth_secret(ctx, role),
        "mountPath": "/etc/pgbouncer/userlist.txt",
        "subPath": "userlist.txt",
        "readOnly": True,
    }
    asked = asked_by(section.resources if section is not None else None, "spec.connectionPooler.resources")
    return present(
        {
            "name": "connection-pooler",
            "image": (section.docker_image if section is not None else None)
            or ctx.config.connection_pooler.connection_pooler_image,
            "imagePullPolicy": "IfNotPresent",
            "ports": container_ports(5432),
            "readinessProbe": {"tcpSocket": {"port": 5432}},
            "env": _environment(ctx, role),
            "resources": container_resources(ctx, asked, _defaults(ctx)),
            "volumeMounts": [user_list, *(tls.mounts if tls else ())],
            "securityContext": pooler_container_security(ctx),
        }
    )


def _environment(ctx: Context, role: Role) -> Environment:
    section, config = ctx.postgresql.spec.connection_pooler, ctx.config.connection_pooler
    secret = secret_name(ctx, pooler_user(ctx))
    connections = _connections(ctx)
    environment = [
        variable("PGHOST", service_name(ctx, role)),
        variable("PGPORT", "5432"),
        secret_variable("PGUSER", secret, "username"),
        variable("PGSCHEMA", (section.schema_ if section is not None else None) or config.connection_pooler_schema),
        secret_variable("PGPASSWORD", secret, "password"),
        variable("CONNECTION_POOLER_PORT", "5432"),
        variable(
            "CONNECTION_POOLER_MODE", (section.mode if section is not None else None) or config.connection_pooler_mode
        ),
        variable("CONNECTION_POOLER_DEFAULT_SIZE", str(connections // 2)),
        variable("CONNECTION_POOLER_MIN_SIZE", str(connections // 2 // 2)),
        variable("CONNECTION_POOLER_RESERVE_SIZE", str(connections // 2 // 2)),
        variable("CONNECTION_POOLER_MAX_CLIENT_CONN", _MAX_CLIENTS),
        variable("CONNECTION_POOLER_MAX_DB_CONN", str(connections)),
    ]
    if ctx.infrastructure_roles:
        environment.append(variable("INFRASTRUCTURE_ROLES", ",".join(sorted(ctx.infrastructure_roles))))
    tls = certificates(ctx)
    if tls:
        environment.append(variable("CONNECTION_POOLER_CLIENT_TLS_CRT", tls.certificate))
        environment.append(variable("CONNECTION_POOLER_CLIENT_TLS_KEY", tls.key))
        if tls.authority:
            environment.append(variable("CONNECTION_POOLER_CLIENT_CA_FILE", tls.authority))
    return environment


def _connections(ctx: Context) -> int:
    """Connections to the database that one pod may hold: all pods of a pooler share the number that is asked for."""
    section = ctx.postgresql.spec.connection_pooler
    asked = section.max_db_connections if section is not None else None
    if asked is None:
        asked = ctx.config.connection_pooler.connection_pooler_max_db_connections
    return max(0, _DEFAULT_CONNECTIONS if asked is None else asked) // pooler_instances(ctx)


def _defaults(ctx: Context) -> Defaults:
    config = ctx.config.connection_pooler
    return Defaults(
        cpu_request=config.connection_pooler_default_cpu_request,
        memory_request=config.connection_pooler_default_memory_request,
        cpu_limit=config.connection_pooler_default_cpu_limit,
        memory_limit=config.connection_pooler_default_memory_limit,
    )


def _user_line(user: str, password: Secret) -> str:
    """A line of PgBouncer's user list; a quote inside is doubled: https://www.pgbouncer.org/config.html"""
    return " ".join('"{}"'.format(text.replace('"', '""')) for text in (user, password.reveal())) + "\n"
