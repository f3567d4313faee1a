#!/bin/sh
# The name is the contract's: manifests and people call it.
exec /opt/pgherd/bin/python -m pgherd_instance
