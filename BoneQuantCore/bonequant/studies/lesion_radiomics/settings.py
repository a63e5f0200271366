"""Settings of the lesion radiomics job, and the hash of those that decide the value of a feature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bonequant.errors import SettingsError
from bonequant.radiomics import IbsiSettings, MazdaSettings, StabilitySettings
from bonequant.registration import RegistrationSettings
from bonequant.roi import SkeletonSettings
from bonequant.settings import Settings, setting
from bonequant.spect import Calibration

FAMILIES = ("mazda", "ibsi")


@dataclass(frozen=True)
class CtIbsiSettings(IbsiSettings):
    """IBSI scheme for CT: 2 mm voxels, bins of 25 HU from -1000 HU (IBSI configuration C without an upper limit)."""

    spacing_mm: tuple[float, ...] = setting(
        (2.0, 2.0, 2.0), unit="mm", low=0.0, high=50, help="New spacing x, y, z; none = no resampling."
    )
    resegment_low: float | None = setting(-1000.0, unit="HU", help="Voxels below this leave the intensity mask.")


@dataclass(frozen=True)
class FunctionalIbsiSettings(IbsiSettings):
    """IBSI scheme for SPECT and PET: 4 mm voxels; 32 bins, since the unit is not always SUV."""

    spacing_mm: tuple[float, ...] = setting(
        (4.0, 4.0, 4.0), unit="mm", low=0.0, high=50, help="New spacing x, y, z; none = no resampling."
    )
    discretisation: str = setting(
        "fixed_bin_number",
        choices=("fixed_bin_size", "fixed_bin_number", "none"),
        help="fixed_bin_size compares between patients where the unit is SUV: give bin_width too.",
    )
    bin_width: float = setting(0.5, low=1e-9, help="Width of a bin, in the unit of the image.")


@dataclass(frozen=True)
class LesionSettings(Settings):
    """Settings of :func:`bonequant.studies.lesion_radiomics.run`."""

    families: tuple[str, ...] = setting(
        FAMILIES, help="mazda = 279 features of the largest section; ibsi = IBSI and pyradiomics features in 3-D."
    )
    plane: str = setting(
        "axial", choices=("axial", "coronal", "sagittal"), help="Slices among which the largest section is sought."
    )
    quantity: str = setting(
        "auto",
        choices=("auto", "suv", "activity", "native"),
        help="Unit of SPECT or PET: auto = SUV where the facts allow it, else as stored, which is said.",
    )
    normalisation: str = setting("bw", choices=("bw", "lbm", "bsa"), help="SUV by body weight, lean mass or surface.")
    calibration: Calibration = setting(Calibration, help="Counts to Bq/mL, where the image holds counts.")
    alignment: str = setting(
        "scanner",
        choices=("scanner", "register"),
        help="Carry masks by the scanner's alignment (checked only), or register the functional image to the CT.",
    )
    registration: RegistrationSettings = setting(RegistrationSettings)
    mazda: MazdaSettings = setting(MazdaSettings)
    ct: CtIbsiSettings = setting(CtIbsiSettings)
    functional: FunctionalIbsiSettings = setting(FunctionalIbsiSettings)
    perturb: bool = setting(True, help="Redraw each lesion by machine to see which features survive it.")
    stability: StabilitySettings = setting(StabilitySettings)
    maps: tuple[str, ...] = setting((), help="Features to map voxel by voxel, as original_glcm_JointEntropy.")
    map_radius: int = setting(1, unit="voxels", low=1, high=5, help="Neighbourhood of a map: 2 radius + 1 voxels.")
    skeleton: SkeletonSettings = setting(SkeletonSettings)
    lesion_sd: float = setting(
        4.0, low=1, high=20, help="Lesion candidates: uptake above the normal bone's mean plus this many SD."
    )
    lesion_min_ml: float = setting(1.0, unit="mL", low=0.1, high=100, help="Smaller candidates are left out.")

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.families) - set(FAMILIES))
        if unknown or not self.families:
            raise SettingsError(f"LesionSettings.families must be some of {', '.join(FAMILIES)}, not {self.families}.")

    def ibsi(self, space: str) -> IbsiSettings:
        """The IBSI scheme of an image: "ct" has its own, any other is functional."""
        return self.ct if space == "ct" else self.functional


def image_recipe(settings: LesionSettings, space: str, unit: str) -> dict[str, Any]:
    """What decides the value of a feature of one image: plane, unit and every choice of the families in use."""
    recipe: dict[str, Any] = {"unit": unit, "families": sorted(settings.families)}
    if "mazda" in settings.families:
        recipe |= {"plane": settings.plane, "mazda": settings.mazda.to_dict()}
    if "ibsi" in settings.families:
        recipe["ibsi"] = settings.ibsi(space).to_dict()
    return recipe


def recipe_hash(recipe: Mapping[str, Any]) -> str:
    """SHA-256 of plain data, the same whatever the order of its names. A model file keeps it and compares."""
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
