"""Feature maps added to a result that has been measured: nothing else is computed anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.studies.lesion_radiomics.maps import lesion_maps
from bonequant.studies.lesion_radiomics.result import LesionResult


def with_maps(result: LesionResult, features: Sequence[str], progress: Progress | None = None) -> LesionResult:
    """``result`` with maps of ``features`` beside those it has; its settings name them, as if asked for at first.

    Raises InputError for a feature that has no map, or where pyradiomics is missing.
    """
    wanted = tuple(dict.fromkeys([*result.settings.maps, *features]))
    new = tuple(name for name in wanted if not any(key.endswith(f" {name}") for key in result.maps))
    made, problems = lesion_maps(
        result.images, result.on_images, dataclasses.replace(result.settings, maps=new), progress or no_progress
    )
    if problems:
        raise InputError(" ".join(problems))
    settings = dataclasses.replace(result.settings, maps=wanted)
    return dataclasses.replace(
        result,
        settings=settings,
        provenance=dataclasses.replace(result.provenance, settings=settings.to_dict()),
        maps={**result.maps, **made},
    )
