"""Perfusion of liver curves and voxels: maximum slope, and the dual-input model with the delay of the artery.

The two inputs are known at the frames only. Between them they follow Akima's curve (J ACM 1970;17:589): a straight
line cuts the bolus at frames of 2 or 3 s, which costs 2 to 5 % of the liver's HPI and more in lesions
(``python -m benchmarks liver``).

Two free delays are not told apart under the noise of CT: the arterial one is fitted, to the curve of the liver (many
voxels, little noise), and the portal one is a setting, 0 where the vein is drawn at the porta hepatis.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from bonequant.errors import InputError
from bonequant.kinetics import Fit, fit, max_slope_liver
from bonequant.studies.liver_perfusion.settings import LiverSettings
from bonequant.volume import Curve

QUANTITIES = ("alp", "pvp", "tlp", "hpi")
METHODS = {"max_slope": "maximum slope", "dual_input": "dual-input model"}
_FINE = 0.1  # seconds between the points of a smooth input
_STEPS_S = (0.5, 0.125, 0.03125)  # of the search for the delay, each around the best of the last


@dataclass(frozen=True, eq=False)
class Inputs:
    """Enhancement (T,) of aorta, portal vein and spleen at the frames."""

    times_s: np.ndarray
    aorta: np.ndarray
    portal: np.ndarray
    spleen: np.ndarray

    @property
    def split_s(self) -> float:
        """The splenic peak, which parts the arterial from the portal phase."""
        return float(self.times_s[int(np.argmax(self.spleen))])


def max_slope(inputs: Inputs, curves: np.ndarray, settings: LiverSettings) -> dict[str, np.ndarray]:
    """ALP, PVP, TLP, HPI (N,) of curves (N, T) by the maximum slope. Raises InputError as max_slope_liver."""
    portal = inputs.portal if settings.pvp_divisor == "portal_vein" else None
    return max_slope_liver(inputs.times_s, curves, inputs.aorta, inputs.spleen, portal, blomley=settings.blomley)


def dual_input(inputs: Inputs, curves: np.ndarray, delay_s: float, settings: LiverSettings) -> Fit:
    """Fit of curves (N, T) with the artery ``delay_s`` late."""
    aorta, portal = delayed_inputs(inputs, delay_s, settings)
    return fit(inputs.times_s, curves, aorta, "dual_input_liver", settings.kinetics, portal=portal)


def delayed_inputs(inputs: Inputs, delay_s: float, settings: LiverSettings) -> tuple[Curve, Curve]:
    """Aorta and portal vein as the tissue sees them."""
    aorta = _between_frames(inputs.times_s, inputs.aorta, settings.input_shape)
    portal = _between_frames(inputs.times_s, inputs.portal, settings.input_shape)
    return _later(aorta, delay_s), _later(portal, settings.portal_delay_s)


def arterial_delay(inputs: Inputs, curve: np.ndarray, settings: LiverSettings) -> float:
    """Delay (s) from the aorta to the tissue of one curve (T,) at which the model fits best.

    Raises InputError where the curve does not enhance.
    """
    if not np.isfinite(curve).all() or curve.max() <= 0:
        raise InputError("The liver does not enhance; is its region right, and does the series show the portal phase?")
    low, high = settings.delay_s
    tried: dict[float, float] = {}

    def misfit(delay: float) -> float:
        if delay not in tried:
            tried[delay] = float(dual_input(inputs, curve[None], delay, settings).rss[0])
        return tried[delay]

    best = min(np.arange(low, high + 1e-9, _STEPS_S[0]).tolist(), key=misfit)
    for coarse, step in pairwise(_STEPS_S):
        near = best + np.arange(-coarse + step, coarse - step / 2, step)
        best = min(np.clip(near, low, high).tolist(), key=misfit)
    return float(best)


def _between_frames(times: np.ndarray, values: np.ndarray, shape: str) -> Curve:
    if shape == "linear":
        return Curve(times, values, "HU")
    steps = max(int(np.ceil((times[-1] - times[0]) / _FINE)), 1)
    fine = np.unique(np.concatenate([np.linspace(times[0], times[-1], steps + 1), times]))
    return Curve(fine, Akima1DInterpolator(times, values)(fine), "HU")


def _later(curve: Curve, seconds: float) -> Curve:
    times, values = curve.times_s + seconds, curve.values
    if seconds < 0:  # the frames go on where the shifted input ends
        times, values = np.append(times, curve.times_s[-1]), np.append(values, values[-1])
    return Curve(times, values, curve.unit)
