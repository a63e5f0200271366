"""From the voxels of the file to the quantity that is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError, MissingFactError
from bonequant.spect import SuvFactors, suv_factors, to_activity, to_suv
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.volume import Volume

_WAY_OUT = "Or measure without it, ratios only: --set quantity=native."


@dataclass(frozen=True, eq=False)
class Quantified:
    """The image in the quantity asked for, the SUV factors where there are any, and what the reader should know."""

    volume: Volume
    factors: SuvFactors | None
    warnings: tuple[str, ...]


def quantify(volume: Volume, settings: MarrowSettings) -> Quantified:
    """Bring the functional image to ``settings.quantity``.

    Raises MissingFactError naming the fact that is absent, and how to do without; InputError for voxels that cannot
    be measured.
    """
    _check_voxels(volume)
    before = volume.warnings
    if settings.quantity == "native" or volume.unit.startswith("SUV"):
        return Quantified(volume, None, _native_warnings(volume, settings))
    try:
        if volume.unit == "counts":
            volume = to_activity(volume, settings.calibration)
        if settings.quantity == "activity":
            return Quantified(volume, None, ())
        # The literal types of to_suv are the choices of the setting. It comes first, as it checks the unit first.
        suv = to_suv(volume, normalisation=settings.normalisation)  # type: ignore[arg-type]
        factors = suv_factors(
            volume.acquisition,
            normalisation=settings.normalisation,  # type: ignore[arg-type]
            label=volume.source or "The functional image",
        )
    except MissingFactError as error:
        raise MissingFactError(f"{error} {_WAY_OUT}", error.fact) from error
    return Quantified(suv, factors, tuple(text for text in suv.warnings if text not in before))


def _native_warnings(volume: Volume, settings: MarrowSettings) -> tuple[str, ...]:
    if volume.unit.startswith("SUV"):
        asked = {"bw": "SUVbw", "lbm": "SUVlbm", "bsa": "SUVbsa"}[settings.normalisation]
        if settings.quantity == "suv" and volume.unit != asked:
            raise InputError(f"{volume.source or 'The image'} holds {volume.unit} where {asked} is due.")
        return ()
    return (f"Values are measured as they are, in {volume.unit or 'no unit'}: only ratios compare between scans.",)


def _check_voxels(volume: Volume) -> None:
    label = volume.source or "The functional image"
    values = volume.array
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise InputError(f"{label} has {bad} voxels that are not finite (NaN or infinite); repair or export it again.")
    if float(values.max()) <= 0:
        raise InputError(f"{label} holds no voxel above zero: there is nothing to measure.")
