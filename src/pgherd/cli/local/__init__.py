"""The cluster of this machine: ``up``, ``down``, ``local``. The only part of pgherd that knows localkube."""
