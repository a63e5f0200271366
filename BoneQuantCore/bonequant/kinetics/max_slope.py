"""Perfusion by the maximum slope, for liver (arterial and portal) and for tissue with one supply.

E is enhancement (HU above baseline), E' the slope between neighbouring frames, t* the time of the splenic peak, which
parts the arterial from the portal phase (Miles et al., Radiology 1993;188:405; Blomley et al., J Comput Assist Tomogr
1995;19:424):

    ALP = 6000 max_{t <= t*} E'_liver / max E_aorta           mL/min/100 mL (6000 = 60 s/min x 100 mL)
    PVP = 6000 max_{t > t*} E'_liver / max E_portal           Miles 1993 divides by max E_aorta instead
    TLP = ALP + PVP,  HPI = 100 ALP / TLP

Blomley's correction takes the arterial share, (max E'_liver / max E'_spleen)_{t <= t*} E_spleen, off the liver curve
before the portal slope. The method assumes no venous outflow before the slope peaks; where that fails it overestimates
(truth 20/100/17 reads 33/59/36 in simulation): see the dual-input model for unbiased values.
"""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.fit import checked_times

MAX_SLOPE_UNITS = {"alp": "mL/min/100 mL", "pvp": "mL/min/100 mL", "tlp": "mL/min/100 mL", "hpi": "%"}
_PER_100_ML = 6000.0


def max_slope_liver(
    times_s: np.ndarray,
    liver: np.ndarray,
    aorta: np.ndarray,
    spleen: np.ndarray,
    portal: np.ndarray | None = None,
    *,
    blomley: bool = False,
) -> dict[str, np.ndarray]:
    """ALP, PVP, TLP (mL/min/100 mL) and HPI (%) of liver curves.

    Args:
        times_s: (T,) strictly increasing seconds.
        liver: (N, T) or (T,) enhancement.
        aorta, spleen: (T,) enhancement.
        portal: (T,) enhancement of the portal vein; None divides PVP by the aortic peak, as Miles 1993.
        blomley: take the arterial share off before the portal slope.

    Returns:
        Each (N,); NaN for a curve that is not finite.

    Raises:
        InputError: the aorta, spleen or portal vein does not enhance, or the splenic peak leaves no frame in one phase.
    """
    times = checked_times(times_s)
    data = np.atleast_2d(np.asarray(liver, dtype=np.float64))
    peak_aorta = _peak("aorta", aorta, times)
    divisor = peak_aorta if portal is None else _peak("portal vein", portal, times)
    spleen_curve = np.asarray(spleen, dtype=np.float64)
    _peak("spleen", spleen_curve, times)
    split = int(spleen_curve.argmax())
    if not 0 < split < len(times) - 1:
        raise InputError(
            f"The spleen peaks at {times[split]:g} s, at an end of the series ({times[0]:g} to {times[-1]:g} s): "
            "one phase has no frames. Choose another splenic region."
        )
    steps = np.diff(times)
    arterial = (np.diff(data[:, : split + 1], axis=1) / steps[:split]).max(axis=1)
    rest = data
    if blomley:
        slope_spleen = (np.diff(spleen_curve[: split + 1]) / steps[:split]).max()
        rest = data - np.outer(arterial / slope_spleen, spleen_curve)
    venous = (np.diff(rest[:, split:], axis=1) / steps[split:]).max(axis=1)
    alp, pvp = _PER_100_ML * arterial / peak_aorta, _PER_100_ML * venous / divisor
    total = alp + pvp
    with np.errstate(divide="ignore", invalid="ignore"):
        hpi = np.where(total != 0.0, 100.0 * alp / total, np.nan)
    fine = np.isfinite(data).all(axis=1)
    return {name: np.where(fine, v, np.nan) for name, v in (("alp", alp), ("pvp", pvp), ("tlp", total), ("hpi", hpi))}


def max_slope_perfusion(times_s: np.ndarray, tissue: np.ndarray, artery: np.ndarray) -> np.ndarray:
    """Perfusion (mL/min/100 mL) of tissue with one supply: 6000 max E'_tissue / max E_artery.

    Miles, Lancet 1991;337:643. ``tissue`` is (N, T) or (T,); the result (N,), NaN for a curve that is not finite.
    Raises InputError where the artery does not enhance.
    """
    times = checked_times(times_s)
    data = np.atleast_2d(np.asarray(tissue, dtype=np.float64))
    return _PER_100_ML * (np.diff(data, axis=1) / np.diff(times)).max(axis=1) / _peak("artery", artery, times)


def _peak(label: str, curve: np.ndarray, times: np.ndarray) -> float:
    values = np.asarray(curve, dtype=np.float64)
    if values.shape != times.shape:
        raise InputError(f"The curve of the {label} has shape {values.shape} for {len(times)} frame times.")
    if not np.all(np.isfinite(values)) or values.max() <= 0.0:
        raise InputError(f"The {label} does not enhance, or is not finite; choose its region again.")
    return float(values.max())
