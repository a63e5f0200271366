"""Morphological signs of progression and regression of bone disease on MRI and CT.

Source: the project's paper 5 (imaging of bone metastases, 2024), table 3. Where signs of both are seen the disease is
heterogeneous, and progression wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from bonequant.errors import InputError
from bonequant.response.call import HETEROGENEOUS, NE, PROGRESSION, PSEUDOPROGRESSION, RESPONSE, STABLE, Call, Criterion

CRITERION = Criterion(
    name="morphology",
    title="Morphological signs (2024)",
    source="Imaging of bone metastases: detection and response, consensus review (2024), table 3",
    categories={"Progression": PROGRESSION, "No change": STABLE, "Regression": RESPONSE},
)

PROGRESSION_SIGNS = (
    "new focal lesion",
    "new diffuse infiltration",
    "more lesions",
    "larger lesions",
    "focal to diffuse",
)
REGRESSION_SIGNS = (
    "disappearance",
    "fewer lesions",
    "smaller lesions",
    "less diffuse",
    "fat dot or halo",
    "less enhancement",
    "dense well-defined sclerosis",
    "loss of the T2 rim",
)


def morphology(signs: Iterable[str] | None, *, early_t1_fall: bool = False) -> Call:
    """The category "Progression", "Regression" or "No change" of one lesion or patient from the signs seen.

    Args:
        signs: of ``PROGRESSION_SIGNS`` and ``REGRESSION_SIGNS``; () is "none seen", None "not assessed" (NE).
        early_t1_fall: the T1 signal fell soon after the start of treatment, which may be pseudoprogression.
    """
    if signs is None:
        return CRITERION.call(NE, "morphology was not assessed: NE")
    seen = tuple(dict.fromkeys(signs))
    unknown = [sign for sign in seen if sign not in PROGRESSION_SIGNS + REGRESSION_SIGNS]
    if unknown:
        known = ", ".join(PROGRESSION_SIGNS + REGRESSION_SIGNS)
        raise InputError(f"No morphological sign {', '.join(map(repr, unknown))}. Known: {known}.")
    worse = [sign for sign in seen if sign in PROGRESSION_SIGNS]
    better = [sign for sign in seen if sign in REGRESSION_SIGNS]
    flags: tuple[str, ...] = (HETEROGENEOUS,) if worse and better else ()
    warnings: tuple[str, ...] = ()
    if early_t1_fall:
        flags += (PSEUDOPROGRESSION,)
        warnings = ("An early fall of the T1 signal may be pseudoprogression: look again at the next examination.",)
    values = {"progression_signs": worse, "regression_signs": better, "early_t1_fall": early_t1_fall}
    if worse:
        rule = f"{', '.join(worse)}: Progression"
        if better:
            rule = f"{', '.join(worse)}, beside {', '.join(better)}; progression wins: Progression"
        return CRITERION.call("Progression", rule, flags=flags, values=values, warnings=warnings)
    category = "Regression" if better else "No change"
    rule = f"{', '.join(better) or 'no sign of either'}: {category}"
    return CRITERION.call(category, rule, flags=flags, values=values, warnings=warnings)
