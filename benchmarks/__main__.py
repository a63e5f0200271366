"""``python -m benchmarks [NAME [ARGUMENT ...]]``: find the modules that have a ``main`` and run them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable

import benchmarks


def found() -> dict[str, Callable[[list[str]], int | None]]:
    """Name and ``main`` of every benchmark."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.main for name, module in modules.items() if hasattr(module, "main")}


def run(arguments: list[str]) -> int:
    known = found()
    if not arguments:
        codes = []
        for name, main in known.items():
            print(f"\n== {name} ==", flush=True)
            codes.append(main([]) or 0)
        return max(codes, default=0)
    name, *rest = arguments
    if name not in known:
        print(f"No benchmark {name!r}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    return known[name](rest) or 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
