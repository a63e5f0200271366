"""Demo data: a simulated spine with one metastasis, DCE before and after radiotherapy, the lesion drawn before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LESION = "lesion_1"


def simulate(progress: Callable[[float, str], None]) -> list[Any]:
    """Inputs of both dates; small, so that the whole comparison takes seconds."""
    from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset
    from bonequant.studies.dce_perfusion import DceInputs
    from bonequant.studies.treatment_response import DateInputs

    progress(0.0, "Simulating the spine before therapy")
    before = simulate_spine(spine_preset("small"))
    progress(0.5, "Simulating the spine after therapy")
    after = simulate_spine(spine_follow_up(before.settings))
    return [
        DateInputs(name, DceInputs(scan.series, t1_map=scan.t1, name=name), lesions=lesions)
        for name, scan, lesions in (("before", before, {LESION: before.masks[LESION]}), ("after", after, {}))
    ]
