"""Lesion candidates by uptake in bone, as lesions of this job. A reader decides which of them are any."""

from __future__ import annotations

from collections.abc import Mapping

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, part_of
from bonequant.roi import anatomical_regions, lesion_candidates
from bonequant.studies.lesion_radiomics.inputs import Lesion
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.volume import Volume


def find_lesions(
    ct: Volume,
    functional: Volume,
    transform: sitk.Transform | None,
    settings: LesionSettings,
    progress: Progress,
) -> tuple[tuple[Lesion, ...], tuple[str, ...]]:
    """Candidates, hottest first, with the bone they lie in as their level; and the warnings of the search.

    Raises InputError where there is none.
    """
    anatomy = anatomical_regions(ct, settings=settings.skeleton, progress=part_of(progress, 0.0, 0.8))
    masks: Mapping[str, sitk.Image] = anatomy.masks
    candidates = lesion_candidates(
        ct,
        functional,
        masks,
        transform,
        sd=settings.lesion_sd,
        min_ml=settings.lesion_min_ml,
        progress=part_of(progress, 0.8, 1.0),
    )
    if not candidates:
        raise InputError("No lesion candidate was found: draw the lesions (--mask), or lower --set lesion_sd=.")
    warning = (
        "Lesions were found by uptake in bone: osteophytes, fractures and joints take up tracer too. A reader decides."
    )
    found = tuple(Lesion(one.name, one.mask, "ct", level=one.region, origin="found") for one in candidates)
    return found, (warning, *anatomy.warnings)
