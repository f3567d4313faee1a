#!/bin/sh
# The name is the contract's: manifests call it.
exec python3 -B /usr/lib/pgherd/pooler.py
