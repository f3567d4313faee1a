"""Defaults that follow memory (specification: instance 1.7)."""

from __future__ import annotations


def shared_buffers(memory_mb: int, *, kubernetes: bool) -> str:
    """A fifth of the memory on Kubernetes, a quarter elsewhere."""
    return f"{memory_mb // (5 if kubernetes else 4)}MB"


def max_connections(memory_mb: int) -> int:
    return min(max(100, memory_mb // 30), 1000)
