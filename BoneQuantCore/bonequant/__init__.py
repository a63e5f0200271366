"""BoneQuant: bone, marrow and liver perfusion, SPECT/CT radiomics and treatment response. Research use only.

The sub-packages are imported when first touched, so ``import bonequant`` costs next to nothing::

    import bonequant

    spect = bonequant.io.load("NM/recon.dcm")
    suv = bonequant.spect.to_suv(spect)
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

RESEARCH_USE_ONLY = "Research use only. Not a medical device; not for diagnosis or treatment decisions."

_SUBPACKAGES = (
    "batch",
    "errors",
    "io",
    "kinetics",
    "mrml",
    "phantom",
    "provenance",
    "radiomics",
    "radionuclides",
    "registration",
    "report",
    "response",
    "roi",
    "settings",
    "spect",
    "statistics",
    "studies",
    "volume",
)


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"bonequant.{name}")
    raise AttributeError(f"module 'bonequant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES])
