"""A small Kubernetes for one machine: the embedded default of pgherd."""
