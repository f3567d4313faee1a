"""What runs inside a database pod.

The Spilo environment contract goes in (``environment``), Patroni's configuration comes out (``configuration``), and one
process stays above Patroni until nothing of the pod is left (``supervise``). Everything between is a pure function of
the environment and of what was found on the machine (``machine``). Imports nothing of ``pgherd``: the operator and the
pod know each other only through the contract (specification: instance, part 1).
"""
