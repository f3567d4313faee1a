"""The environments of the specification's worked examples, and a machine like the reference image."""

from __future__ import annotations

from pgherd_instance.machine import Installation, Machine

PRELOADED = ("bg_mon", "pg_stat_statements", "pgextwlist", "pg_auth_mon", "set_user", "timescaledb", "pg_cron")
LIBRARIES = frozenset({*PRELOADED, "pg_stat_kcache", "pg_mon"})
PAM = "https://info.example.com/oauth2/tokeninfo?access_token= uid realm=/employees"
INITDB = '{"auth-host":"scram-sha-256"},{"auth-local":"trust"}'
SPILO_CONFIGURATION = f'{{"postgresql":{{}},"bootstrap":{{"initdb":[{INITDB}],"dcs":{{"failsafe_mode":false}}}}}}'


def machine(memory_mb: int = 500, data_version: str = "", **changes: object) -> Machine:
    """An image with the majors 14 to 18, every library, PAM and the locale en_US.UTF-8."""
    installations = {
        str(major): Installation(f"/usr/lib/postgresql/{major}/bin", LIBRARIES, pam=True) for major in range(14, 19)
    }
    facts: dict[str, object] = {
        "memory_mb": memory_mb,
        "data_version": data_version,
        "installations": installations,
        "locales": frozenset({"en_US.UTF-8", "C.UTF-8"}),
        "ipv6": True,
        **changes,
    }
    return Machine(**facts)  # type: ignore[arg-type]


def common(scope: str, namespace: str, address: str, version: str) -> dict[str, str]:
    """What every example has; service discovery variables are what Kubernetes adds to each pod."""
    return {
        "SCOPE": scope,
        "PGROOT": "/home/postgres/pgdata/pgroot",
        "POD_IP": address,
        "POD_NAMESPACE": namespace,
        "PGUSER_SUPERUSER": "postgres",
        "KUBERNETES_SCOPE_LABEL": "cluster-name",
        "KUBERNETES_ROLE_LABEL": "spilo-role",
        "PGPASSWORD_SUPERUSER": "superuser-password",
        "PGUSER_STANDBY": "standby",
        "PGPASSWORD_STANDBY": "standby-password",
        "PAM_OAUTH2": PAM,
        "HUMAN_ROLE": "zalandos",
        "PGVERSION": version,
        "KUBERNETES_LABELS": '{"application":"spilo"}',
        "DCS_ENABLE_KUBERNETES_API": "true",
        "KUBERNETES_BOOTSTRAP_LABELS": '{"critical-operation":"true"}',
        "HOSTNAME": f"{scope}-0",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
        "SPILO_CONFIGURATION": SPILO_CONFIGURATION,
    }


A = {**common("acid-demo", "pg-demo", "10.2.0.7", "18"), "KUBERNETES_USE_CONFIGMAPS": "true"}

B = {
    **common("acid-shop", "shop", "10.2.0.8", "17"),
    "KUBERNETES_USE_CONFIGMAPS": "true",
    "SPILO_CONFIGURATION": (
        '{"postgresql":{"parameters":{"shared_buffers":"1GB","shared_preload_libraries":"bg_mon,pg_stat_statements"},'
        '"pg_hba":["hostssl all all 0.0.0.0/0 scram-sha-256","host all all 127.0.0.1/32 trust"]},"bootstrap":{"initdb":'
        f'[{INITDB},"data-checksums",{{"encoding":"UTF8"}},{{"locale":"en_US.UTF-8"}}],"dcs":{{"ttl":30,"loop_wait":10,'
        '"retry_timeout":10,"maximum_lag_on_failover":33554432,"synchronous_mode":true,"synchronous_node_count":1,'
        '"postgresql":{"parameters":{"log_statement":"ddl","max_connections":"200"}},"slots":{"cdc":{"database":"shop",'
        '"plugin":"pgoutput","type":"logical"}},"failsafe_mode":false}}}'
    ),
    "AWS_REGION": "eu-west-1",
    "BACKUP_NUM_TO_RETAIN": "7",
    "CLONE_SCOPE": "acid-shop-old",
    "CLONE_WAL_S3_BUCKET": "acme-wal",
    "CLONE_WAL_BUCKET_SCOPE_SUFFIX": "/efd12e58-5786-11e8-b5a7-06148230260c",
    "CLONE_METHOD": "CLONE_WITH_WALE",
    "CLONE_TARGET_TIME": "2025-03-01T10:00:00+00:00",
    "CLONE_WAL_BUCKET_SCOPE_PREFIX": "",
    "AWS_ACCESS_KEY_ID": "key-id",
    "AWS_SECRET_ACCESS_KEY": "secret-key",
    "USE_WALG_BACKUP": "true",
    "WAL_S3_BUCKET": "acme-wal",
    "WAL_BUCKET_SCOPE_SUFFIX": "/5d0f7b1e-8f0a-4c57-9a51-0f8a6c1c2b3d",
    "WAL_BUCKET_SCOPE_PREFIX": "",
    "SSL_CERTIFICATE_FILE": "/tls/tls.crt",
    "SSL_PRIVATE_KEY_FILE": "/tls/tls.key",
    "SSL_CA_FILE": "/tls/ca.crt",
}

C = {
    **common("acid-dr", "dr", "10.2.0.9", "17"),
    "STANDBY_HOST": "acid-shop.shop",
    "STANDBY_PORT": "5432",
    "STANDBY_WALE_S3_PREFIX": "s3://acme-wal/spilo/acid-shop/5d0f7b1e-8f0a-4c57-9a51-0f8a6c1c2b3d/wal/17",
    "STANDBY_METHOD": "STANDBY_WITH_WALE",
    "STANDBY_WAL_BUCKET_SCOPE_PREFIX": "",
}
