"""Write the golden files of the variations anew: ``python tests/golden/write_variations.py``, then read the diff."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from desired.test_variations import FOLDER, contexts, described, difference
from desired.variations import VARIATIONS


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.yaml"):
        file.unlink()
    for name, variation in VARIATIONS.items():
        before, after = contexts(variation)
        text = yaml.safe_dump(
            difference(described(before), described(after)), width=1000, sort_keys=False, allow_unicode=True
        )
        (FOLDER / f"{name}.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
