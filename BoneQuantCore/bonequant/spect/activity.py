"""Reconstructed counts to activity concentration.

C [Bq/mL] = N * 1e6 / (CF [cps/MBq] * t_total [s] * V_voxel [mL]), MIRD pamphlet 23 (Dewaraja, J Nucl Med 2012;53:1310).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.settings import Settings, setting
from bonequant.spect.facts import need
from bonequant.volume import Volume

_COUNTS_HELP = (
    "What a voxel's counts are. 'summed': the views of all detectors added up, as most reconstructions give them. "
    "'averaged': those of one mean view of one detector."
)
_FACTOR_HELP = (
    "What the calibration factor was measured for. 'all_detectors': counts per second of the whole camera. "
    "'one_detector': counts per second of one head."
)


@dataclass(frozen=True)
class Calibration(Settings):
    """How counts become activity. A value left out is taken from the volume's acquisition.

    The counting time t_total that goes with N and CF, for views of dt seconds, n of each of h detectors:

    ============  ==================  =================
    counts        all_detectors       one_detector
    ============  ==================  =================
    summed        n dt                n dt h
    averaged      dt / h              dt
    ============  ==================  =================

    Some files count the views of all heads in n; then "summed" with "all_detectors" is right for a factor of one head.
    """

    factor_cps_per_mbq: float | None = setting(None, unit="cps/MBq", low=1e-6, high=1e6, help="Calibration factor.")
    frame_duration_s: float | None = setting(None, unit="s", low=1e-3, high=86400, help="Time per view (projection).")
    number_of_projections: int | None = setting(None, low=1, high=100000, help="Number of views of each detector.")
    number_of_detectors: int | None = setting(None, low=1, high=64, help="Number of detector heads.")
    counts: str = setting("summed", choices=("summed", "averaged"), help=_COUNTS_HELP)
    factor_for: str = setting("all_detectors", choices=("all_detectors", "one_detector"), help=_FACTOR_HELP)


def to_activity(volume: Volume, calibration: Calibration | float | None = None) -> Volume:
    """``volume`` in counts as activity concentration in Bq/mL; ``calibration`` may be the factor alone, in cps/MBq.

    The concentration is the mean over the acquisition: whether it is decay corrected stays as the acquisition says.
    Values given here stand as typed in the acquisition of the result.

    Raises InputError where the volume is not in counts (never scaled twice), MissingFactError naming what is absent.
    """
    label = volume.source or volume.name or "The volume"
    if isinstance(calibration, (int, float)):
        calibration = Calibration(factor_cps_per_mbq=float(calibration))
    calibration = calibration or Calibration()
    if volume.unit != "counts":
        what = f"is in {volume.unit}" if volume.unit else "has no unit"
        way = "it is an activity already" if volume.unit == "Bq/mL" else "set unit='counts' if it does hold counts"
        raise InputError(f"{label} {what}, where counts are due: {way}.")
    acquisition = volume.acquisition.with_typed(
        calibration_factor_cps_per_mbq=calibration.factor_cps_per_mbq,
        frame_duration_s=calibration.frame_duration_s,
        number_of_projections=calibration.number_of_projections,
        number_of_detectors=calibration.number_of_detectors,
    )
    volume = dataclasses.replace(volume, acquisition=acquisition)
    factor = need(acquisition, "calibration_factor_cps_per_mbq", label, "It comes from a phantom of known activity.")
    seconds = _counting_time_s(volume, calibration, label)
    scale = 1e6 / (factor * seconds * volume.voxel_volume_ml)
    return volume.with_array(volume.array * scale, unit="Bq/mL")


def _counting_time_s(volume: Volume, calibration: Calibration, label: str) -> float:
    """The time t_total that goes with the counts and the factor, in s; the table of :class:`Calibration`."""
    acquisition = volume.acquisition
    summed, whole_camera = calibration.counts == "summed", calibration.factor_for == "all_detectors"
    seconds = float(need(acquisition, "frame_duration_s", label, "It is the time per projection."))
    if summed:
        seconds *= need(acquisition, "number_of_projections", label, "It is the number of views of each detector.")
    if summed == whole_camera:
        return seconds
    heads = need(acquisition, "number_of_detectors", label, "It is how many heads the camera counted with.")
    return seconds * heads if summed else seconds / heads
