"""What the marrow job returns for one date."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.provenance import Provenance
from bonequant.registration import RegistrationResult
from bonequant.roi import LesionCandidate, RoiMeasurement
from bonequant.spect import ProtocolRecord, SuvFactors
from bonequant.studies.marrow_perfusion.maa import MaaResult
from bonequant.studies.marrow_perfusion.plausibility import Plausibility
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.studies.marrow_perfusion.table import region_rows
from bonequant.volume import Volume, is_linear
from bonequant.volume.geometry import matrix_of


@dataclass(frozen=True, eq=False)
class MarrowResult:
    """One date, measured.

    Attributes:
        functional: the image in the quantity that was measured, on its own grid.
        transform: points of the CT to points of the functional image; None is the identity.
        registration: None where the alignment was kept or given.
        masks_on_ct, masks_on_functional: every region, on the grid on which it was drawn or found.
        origins: per region "found on CT", "by uptake", "drawn" ...
        uptake, hu: measurements per region.
        corrected: means after partial volume correction, of the regions that take part in it.
        rows: the table of regions; lesion_rows: of lesion candidates.
        samples: values of the few regions whose histogram is shown.
        vertebrae: names of the vertebral bodies from top to bottom.
        maps: parametric maps on the functional image's own grid.
        maa: tumour/normal ratio, lung shunt, partition model; None outside MAA mode.
        agreement: statistics against a given standard; None where none was given.
    """

    name: str
    settings: MarrowSettings
    functional: Volume
    ct: Volume | None
    transform: sitk.Transform | None
    registration: RegistrationResult | None
    factors: SuvFactors | None
    masks_on_ct: Mapping[str, sitk.Image]
    masks_on_functional: Mapping[str, sitk.Image]
    origins: Mapping[str, str]
    uptake: Mapping[str, RoiMeasurement]
    hu: Mapping[str, RoiMeasurement]
    corrected: Mapping[str, float]
    rows: tuple[dict[str, Any], ...]
    vertebrae: tuple[str, ...]
    lesions: tuple[LesionCandidate, ...]
    lesion_rows: tuple[dict[str, Any], ...]
    samples: Mapping[str, np.ndarray]
    maps: Mapping[str, Volume]
    plausibility: tuple[Plausibility, ...]
    protocol: ProtocolRecord | None
    provenance: Provenance
    maa: MaaResult | None = None
    agreement: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def alignment_facts(self) -> dict[str, Any]:
        """The measures of the registration, and its matrix where it is one; empty without a CT."""
        if self.ct is None:
            return {}
        facts: dict[str, Any] = {}
        if self.registration is not None:
            facts |= self.registration.quality.to_dict()
            facts["kept_scanner_alignment"] = self.registration.kept_scanner_alignment
        if is_linear(self.transform):
            facts["ct_to_functional_matrix"] = matrix_of(self.transform).tolist()
        return facts

    def with_carried(self, uptake: Mapping[str, RoiMeasurement], hu: Mapping[str, RoiMeasurement]) -> MarrowResult:
        """A copy with regions measured that were drawn at another date; they replace those of the same name."""
        references = [key.removeprefix("ratio_to_") for key in self.rows[0] if key.startswith("ratio_to_")]
        origins = {**self.origins, **dict.fromkeys(uptake, "carried from the first date")}
        uptake, hu = {**self.uptake, **uptake}, {**self.hu, **hu}
        return dataclasses.replace(
            self,
            uptake=uptake,
            hu=hu,
            origins=origins,
            rows=region_rows(uptake, hu, origins, references, "marrow", self.corrected),
        )
