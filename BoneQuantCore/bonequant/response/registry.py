"""The criteria there are: every file of this package that holds a ``CRITERION`` and a function of its own name.

A new criterion is one new file; panels, the command line and reports find it here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

from bonequant.errors import InputError
from bonequant.response.call import Call, Criterion


@cache
def criteria() -> dict[str, Criterion]:
    """All criteria by name, in alphabetical order."""
    package = importlib.import_module("bonequant.response")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    found = (getattr(module, "CRITERION", None) for module in modules)
    return {criterion.name: criterion for criterion in found if isinstance(criterion, Criterion)}


def function_of(name: str) -> Callable[..., Call]:
    """The pure function of a criterion. Raises InputError where there is no criterion of that name."""
    if name not in criteria():
        raise InputError(f"There is no response criterion {name!r}. Known: {', '.join(criteria())}.")
    function: Callable[..., Call] = getattr(importlib.import_module(f"bonequant.response.{name}"), name)
    return function
