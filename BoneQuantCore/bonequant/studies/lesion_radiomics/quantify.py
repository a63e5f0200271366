"""The unit in which SPECT or PET is measured: SUV where the facts allow it, and what is said where they do not."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import InputError, MissingFactError
from bonequant.spect import SuvFactors, suv_factors, to_activity, to_suv
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.volume import Volume


@dataclass(frozen=True, eq=False)
class Quantified:
    """The image in the quantity asked for, the SUV factors where there are any, and what the reader should know."""

    volume: Volume
    factors: SuvFactors | None = None
    warnings: tuple[str, ...] = ()


def quantify(volume: Volume, settings: LesionSettings) -> Quantified:
    """Bring the functional image to ``settings.quantity``.

    "auto" falls back to the voxels as stored where a fact is missing, with a warning that names it; "suv" and
    "activity" raise MissingFactError then.
    """
    if settings.quantity == "native" or volume.unit.startswith("SUV"):
        return Quantified(volume)
    if settings.quantity == "auto" and volume.unit not in ("counts", "Bq/mL"):
        return Quantified(volume, warnings=(_unit_unknown(volume),))
    try:
        return _quantified(volume, settings)
    except MissingFactError as error:
        if settings.quantity != "auto":
            raise MissingFactError(f"{error} Or measure as stored: --set quantity=native.", error.fact) from error
        text = f"No SUV: {error} Features are of the voxels as stored, in {volume.unit}; such as depend on the unit "
        return Quantified(volume, warnings=(text + "do not compare between patients.",))


def _quantified(volume: Volume, settings: LesionSettings) -> Quantified:
    if volume.unit not in ("counts", "Bq/mL"):
        raise InputError(
            f"{volume.source or 'The functional image'} is in {volume.unit or 'no unit'}; {settings.quantity} needs "
            "counts or Bq/mL. Say its unit (--fact unit=Bq/mL) or measure as stored (--set quantity=native)."
        )
    if volume.unit == "counts":
        volume = to_activity(volume, settings.calibration)
    if settings.quantity == "activity":
        return Quantified(volume)
    label = volume.source or "The functional image"
    # The literal types are the choices of the setting.
    factors = suv_factors(volume.acquisition, normalisation=settings.normalisation, label=label)  # type: ignore[arg-type]
    suv = to_suv(volume, normalisation=settings.normalisation)  # type: ignore[arg-type]
    return Quantified(suv, factors, tuple(text for text in suv.warnings if text not in volume.warnings))


def _unit_unknown(volume: Volume) -> str:
    where = volume.name or "The functional image"
    unit = f"in {volume.unit}" if volume.unit else "in no unit that its file names"
    return f"{where} is {unit}: features are of the voxels as stored. If it is SUV, say so: --fact unit=SUVbw."
