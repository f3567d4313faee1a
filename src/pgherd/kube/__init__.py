"""Talking to Kubernetes: one connection, caches that stay true, a queue per cluster, one leader.

::

    kube = await connect(kubeconfig, context)                 client.py
    kube.get(PODS.at(namespace, name)) -> Pod                 NotFound, Forbidden, Overloaded, Unreachable …
    kube.find(ref) -> Pod | None
    kube.list(PODS, namespace, labels="a=b") -> list[Pod]     pages of 500
    kube.create(SERVICES, manifest, dry_run=False) -> Service AlreadyExists
    kube.apply(SERVICES, manifest, dry_run=False) -> Service  server-side apply, manager pgherd, force
    kube.patch(ref, body, kind=MERGE, subresource="", version="") -> view
    kube.delete(ref, Preconditions(uid, version), propagation="Background", grace=None) -> bool
    kube.logs(ref, …), kube.exec(ref, command, container)     logs.py, execute.py

    caches = Caches(label="cluster-name")                     caches.py
    caches.children(PODS, Key(namespace, name)) -> list[Pod]
    caches.get(SECRETS, namespace, name) -> SecretObject | None
    caches.absorb(SERVICES, applied)                          read your own writes
    await caches.run(kube, Watch(…), wake)                    informer.py

    queue = Queue[Key]()                                      queue.py
    queue.add(key, Priority.CHANGE) · queue.add_after(key, seconds) · queue.retry(key) · queue.forget(key)
    key = await queue.get() · queue.done(key)

    Election(kube, LeaseSettings(…)).run(work)                fencing.py; Fence.check() raises Fenced
    Recorder(kube).record(reference, "Normal", "Create", "…") events.py; never fails
"""
