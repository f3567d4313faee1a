"""``python -m pgherd.cli`` is ``pgherd``: for processes that are started without a PATH."""

from pgherd.cli import main

main()
