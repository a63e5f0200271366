"""How a tracer spreads over the torso's tissues: SUV per tissue, decay-corrected to the start of the scan.

The bone tracer keeps to published normal values: vertebral SUVmean 3.9 +- 0.3 (99mTc-MDP), 5.9 +- 1.5 (99mTc-DPD,
4 h). The other two are of the right order and, as everything here, exactly known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HALF_LIFE_TC99M_S = 6.007 * 3600.0


@dataclass(frozen=True)
class Tracer:
    """SUV (g/mL) of every tissue; lesions take ``lesion_suv`` where it is set, else their own ratio to their host."""

    name: str
    radiopharmaceutical: str
    suv: Mapping[str, float]
    lesion_suv: float | None = None
    radionuclide: str = "99mTc"
    half_life_s: float = HALF_LIFE_TC99M_S
    injected_activity_bq: float = 700e6
    uptake_s: float = 3.0 * 3600.0

    def of(self, tissue: str) -> float:
        return float(self.suv.get(tissue, 0.0))


_MDP = {
    "fat": 0.15, "muscle": 0.35, "cavity": 0.3, "lung": 0.15, "liver": 0.5, "spleen": 0.5, "kidney": 3.0, "blood": 0.6,
    "bowel": 0.35, "urine": 10.0, "disc": 0.4, "canal": 0.3, "cortex": 5.5, "marrow": 4.5, "marrow_pelvis": 3.8,
    "marrow_rib": 3.0, "marrow_femur": 1.6,
}  # fmt: skip
_COLLOID = {
    "fat": 0.03, "muscle": 0.08, "cavity": 0.08, "lung": 0.1, "liver": 9.0, "spleen": 12.0, "kidney": 0.6, "blood": 0.3,
    "bowel": 0.1, "urine": 0.8, "disc": 0.1, "canal": 0.1, "cortex": 0.3, "marrow": 3.0, "marrow_pelvis": 2.4,
    "marrow_rib": 1.6, "marrow_femur": 0.5,
}  # fmt: skip
_MAA = {
    "fat": 0.01, "muscle": 0.02, "cavity": 0.02, "lung": 1.2, "liver": 25.0, "spleen": 0.15, "kidney": 0.4,
    "blood": 0.1, "bowel": 0.05, "urine": 0.3, "disc": 0.02, "canal": 0.02, "cortex": 0.03,
    "marrow": 0.05, "marrow_pelvis": 0.05, "marrow_rib": 0.05, "marrow_femur": 0.03,
}  # fmt: skip

TRACERS: Mapping[str, Tracer] = MappingProxyType(
    {
        "mdp": Tracer("mdp", "Technetium Tc^99m^ medronate", MappingProxyType(_MDP)),
        "colloid": Tracer(
            "colloid",
            "Technetium Tc^99m^ nanocolloid",
            MappingProxyType(_COLLOID),
            lesion_suv=0.4,
            injected_activity_bq=400e6,
            uptake_s=3600.0,
        ),
        "maa": Tracer(
            "maa",
            "Technetium Tc^99m^ macroaggregated albumin",
            MappingProxyType(_MAA),
            injected_activity_bq=150e6,
            uptake_s=1800.0,
        ),
    }
)
