"""What the lesion radiomics job returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import SimpleITK as sitk

from bonequant.provenance import Provenance
from bonequant.radiomics import Features
from bonequant.registration import RegistrationResult
from bonequant.roi import RoiMeasurement
from bonequant.spect import SuvFactors
from bonequant.studies.lesion_radiomics.inputs import Lesion, Space
from bonequant.studies.lesion_radiomics.quality import Quality
from bonequant.studies.lesion_radiomics.regions import Region
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.volume import Volume, is_linear
from bonequant.volume.geometry import matrix_of

_NAMES = {"NM": "SPECT", "PT": "PET", "MR": "MR"}


def image_name(space: Space, image: Volume) -> str:
    """What features of an image are called by: CT, SPECT, PET, MR; "functional" where the file names no modality."""
    return "CT" if space == "ct" else _NAMES.get(image.modality, "functional")


@dataclass(frozen=True, eq=False)
class OnImage:
    """One lesion on one image: where it lies, what is measured there in the image's unit, and its features."""

    image: str
    region: Region
    measured: RoiMeasurement | None
    features: Features


@dataclass(frozen=True, eq=False)
class LesionResult:
    """The result of one patient.

    Attributes:
        images: by "ct" and "functional", in the unit that was measured.
        lesions: as given or found; on_images: lesion id to space to what was found there.
        transform, registration: points of the CT to points of the functional image; None is the identity.
        alignment_check: what a registration said of the scanner's alignment, where that was taken; else "".
        recipes: by image name (a model's modality), all that decides the value of its features.
        settings_hash: of all recipes.
        quality: which features survive redrawing.
        maps: by "<image> <feature>".
    """

    patient: str
    settings: LesionSettings
    images: Mapping[Space, Volume]
    lesions: tuple[Lesion, ...]
    on_images: Mapping[str, Mapping[Space, OnImage]]
    transform: sitk.Transform | None
    registration: RegistrationResult | None
    factors: SuvFactors | None
    recipes: Mapping[str, Mapping[str, Any]]
    settings_hash: str
    quality: Quality
    provenance: Provenance
    maps: Mapping[str, Volume] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    alignment_check: str = ""

    @property
    def alignment_facts(self) -> dict[str, Any]:
        """How masks were carried; empty with one image."""
        if len(self.images) < 2:
            return {}
        facts: dict[str, Any] = {}
        if self.registration is not None:
            facts |= self.registration.quality.to_dict()
            facts["kept_scanner_alignment"] = self.registration.kept_scanner_alignment
        if is_linear(self.transform):
            facts["ct_to_functional_matrix"] = matrix_of(self.transform).tolist()
        return facts
