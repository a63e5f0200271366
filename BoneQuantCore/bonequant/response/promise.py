"""PROMISE: PSMA expression score 0 to 3 of a lesion against blood pool, liver and parotid gland.

Source: Eiber et al., J Nucl Med 2018;59:469 (miPSMA). The spleen takes the liver's place for tracers that the liver
excretes. 0 is below blood pool, 1 from blood pool, 2 from liver, 3 from parotid gland.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bonequant.response.call import DESCRIPTION, GAP, NE, Call, Criterion
from bonequant.response.compare import ABOVE, holds, number
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="promise",
    title="PROMISE miPSMA score",
    source="Eiber et al., J Nucl Med 2018;59:469",
    categories={"3": DESCRIPTION, "2": DESCRIPTION, "1": DESCRIPTION, "0": DESCRIPTION},
)


@dataclass(frozen=True)
class PromiseSettings(Settings):
    """How equal uptake counts."""

    operator: str = setting(">=", choices=ABOVE, help="Uptake equal to a reference reaches it (>=).")


@dataclass(frozen=True)
class PsmaReferences:
    """SUVmean of the reference organs; None is "not measured"."""

    blood_pool: float | None
    parotid: float | None
    liver: float | None = None
    spleen: float | None = None


def promise(
    lesion_suv: float | None,
    references: PsmaReferences,
    *,
    hepatic_tracer: bool = False,
    settings: PromiseSettings | None = None,
) -> Call:
    """Score "0" to "3" of one lesion, or "NE" where an uptake is missing.

    Args:
        lesion_suv: SUVmean of the lesion, measured as the references are.
        hepatic_tracer: is the tracer excreted by the liver ([18F]PSMA-1007, say)? Then the spleen is the reference.
    """
    settings = PromiseSettings.of(settings)
    organ = "spleen" if hepatic_tracer else "liver"
    suv, middle = number(lesion_suv), number(references.spleen if hepatic_tracer else references.liver)
    blood, parotid = number(references.blood_pool), number(references.parotid)
    values = {"lesion_suv": suv, "blood_pool_suv": blood, f"{organ}_suv": middle, "parotid_suv": parotid}
    missing = [name for name, value in values.items() if math.isnan(value)]
    if missing:
        return CRITERION.call(NE, f"not measured: {', '.join(missing)}: NE", settings, values=values)
    reached = [
        (score, name, limit)
        for score, name, limit in (("3", "parotid", parotid), ("2", organ, middle), ("1", "blood pool", blood))
        if holds(suv, settings.operator, limit)
    ]
    score, name, limit = reached[0] if reached else ("0", "blood pool", blood)
    sign = settings.operator if reached else {">=": "<", ">": "<="}[settings.operator]
    ordered = blood <= middle <= parotid
    return CRITERION.call(
        score,
        f"SUV {suv:.6g} {sign} {name} {limit:.6g}: {score}",
        settings,
        flags=() if ordered else (GAP,),
        values=values,
        warnings=() if ordered else (f"Blood pool, {organ} and parotid are not in their usual order of uptake.",),
    )
