"""What the image begins the dynamic configuration of a new cluster with, and what a key that left the manifest returns
to (spec instance.md part 2).

``max_connections`` is not here: it follows the memory of the pod, which nobody outside knows, so it returns to
Patroni's own default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IMAGE_SETTINGS: Mapping[str, Any] = {
    "ttl": 30,
    "loop_wait": 10,
    "retry_timeout": 10,
    "maximum_lag_on_failover": 33554432,
}
IMAGE_PARAMETERS: Mapping[str, Any] = {
    "archive_mode": "on",
    "archive_timeout": "1800s",
    "wal_level": "hot_standby",
    "wal_log_hints": "on",
    "wal_compression": "on",
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "hot_standby": "on",
    "tcp_keepalives_idle": 900,
    "tcp_keepalives_interval": 100,
    "log_line_prefix": "%t [%p]: [%l-1] %c %x %d %u %a %h ",
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": 500,
    "log_autovacuum_min_duration": 0,
    "log_connections": "on",
    "log_disconnections": "on",
    "log_statement": "ddl",
    "log_temp_files": 0,
    "track_functions": "all",
    "checkpoint_completion_target": 0.9,
    "autovacuum_max_workers": 5,
    "autovacuum_vacuum_scale_factor": 0.05,
    "autovacuum_analyze_scale_factor": 0.02,
}
