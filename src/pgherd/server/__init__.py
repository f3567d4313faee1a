"""What the operator serves over HTTP: probes for the kubelet and metrics for Prometheus. It only looks."""
