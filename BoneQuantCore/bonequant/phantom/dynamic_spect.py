"""Dynamic SPECT that is known: the torso under a tracer whose kinetics are known, few slow frames, Poisson noise.

Every tissue follows one-tissue kinetics C = (1 - vB) K1 exp(-k2 t) (x) Cb + vB Cb, or, with k2 = 0, irreversible uptake
(Patlak with Ki = (1 - vB) K1). As the image is linear in the activities, each tissue is blurred once, and a frame is
the sum of the blurred tissues times their mean concentration over that frame. Counts decay with the nuclide during the
scan; the series is in Bq/mL, corrected for decay to the injection at time 0.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import SimpleITK as sitk

from bonequant.errors import SettingsError
from bonequant.kinetics import convolve_exponential
from bonequant.phantom.dynamic_tissue import fine_times, frame_means
from bonequant.phantom.spect import SpectSettings, activity_on_spect
from bonequant.phantom.torso import Torso, TorsoSettings, torso
from bonequant.phantom.tracers import HALF_LIFE_TC99M_S
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume import Acquisition, Curve, DynamicSeries

_MARROW = ("marrow", "marrow_pelvis", "marrow_rib", "marrow_femur")


@dataclass(frozen=True)
class TracerTissue:
    """``k1`` mL/min/mL, ``k2`` per minute (0: irreversible), ``vb`` blood volume fraction."""

    k1: float
    k2: float
    vb: float

    @property
    def ki(self) -> float:
        """Slope of Patlak's plot for irreversible uptake, per minute: (1 - vB) K1."""
        return (1.0 - self.vb) * self.k1


TISSUES = {
    "blood_pool": TracerTissue(0.0, 0.0, 1.0),
    "marrow": TracerTissue(0.06, 0.0, 0.08),  # colloid: taken up for good
    "liver": TracerTissue(0.25, 0.0, 0.2),
    "spleen": TracerTissue(0.3, 0.0, 0.2),
    "lesion": TracerTissue(0.12, 0.1, 0.1),
    "muscle": TracerTissue(0.03, 0.15, 0.02),
}


@dataclass(frozen=True)
class DynamicSpectSettings(Settings):
    """Frames, dose, camera."""

    torso: TorsoSettings = setting(TorsoSettings)
    spect: SpectSettings = setting(SpectSettings)
    durations_s: tuple[float, ...] = setting((60.0,) * 5 + (180.0,) * 5, unit="s", low=1, help="Of the frames.")
    activity_bq: float = setting(400e6, unit="Bq", low=1e6)
    sensitivity_cps_per_mbq: float = setting(150.0, unit="cps/MBq", low=1, help="Both heads together.")
    noise: bool = setting(True)
    seed: int = setting(1, low=0)


@dataclass(frozen=True, eq=False)
class DynamicSpectScan:
    """Frames and what is true of them.

    Attributes:
        series: Bq/mL, decay-corrected to the injection at time 0, mid-frame times.
        blood: true whole-blood concentration (Bq/mL, decay-corrected), every 0.1 s.
        curves: true mean concentration over each frame by tissue, before any blur.
        truth: kinetics by tissue.
        masks: on the SPECT grid, by the tissue at the voxel's centre.
    """

    settings: DynamicSpectSettings
    series: DynamicSeries
    blood: Curve
    curves: dict[str, np.ndarray]
    truth: dict[str, TracerTissue]
    masks: dict[str, sitk.Image]


def dynamic_spect_preset(name: str = "clinical", **changes: object) -> DynamicSpectSettings:
    """ "clinical" (128x128x90) or "small" (64x64x60, coarse source raster, for tests)."""
    if name == "clinical":
        settings = DynamicSpectSettings()
    elif name == "small":
        grid = SpectSettings(spacing_mm=(6.8, 6.8, 6.8), matrix=(64, 64, 60), fwhm_mm=12.0, source_mm=3.5)
        settings = DynamicSpectSettings(spect=grid)
    else:
        raise SettingsError(f"There is no preset {name!r}; choose clinical or small.")
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def blood_input(end_s: float, activity_bq: float, blood_volume_ml: float = 5000.0) -> Curve:
    """A bolus that mixes within a minute and clears with half-times of 3 and 60 minutes; Bq/mL, every 0.1 s."""
    t = fine_times(end_s)
    mixed = activity_bq / blood_volume_ml
    clearance = 0.7 * np.exp(-np.log(2.0) * t / 180.0) + 0.3 * np.exp(-np.log(2.0) * t / 3600.0)
    return Curve(t, mixed * (1.0 - np.exp(-t / 10.0)) * clearance, "Bq/mL", "blood")


def tracer_curve(blood: Curve, tissue: TracerTissue) -> Curve:
    """Concentration of the tissue on the blood curve's own times, exact for its straight lines."""
    uptake = convolve_exponential(blood.times_s, blood.values, tissue.k2)
    values = (1.0 - tissue.vb) * tissue.k1 * uptake + tissue.vb * blood.values
    return Curve(blood.times_s, values, blood.unit)


def simulate_dynamic_spect(
    settings: DynamicSpectSettings | None = None, progress: Progress | None = None
) -> DynamicSpectScan:
    """Simulate a dynamic scan from the injection on; the same settings give the same scan."""
    s = DynamicSpectSettings.of(settings)
    report = progress or no_progress
    body = torso(s.torso)
    durations = np.array(s.durations_s)
    starts = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    blood = blood_input(float(durations.sum()), s.activity_bq)
    grid = s.spect.geometry
    kinds = [_tissue_of(body, number) for number in range(len(body.parts))]
    curves, shares = {}, {}
    for place, (name, tissue) in enumerate(TISSUES.items()):
        report(0.8 * place / len(TISSUES), f"Blurring {name}")
        curves[name] = frame_means(tracer_curve(blood, tissue), starts, durations)
        unit = [float(kind == name) for kind in kinds]
        shares[name] = activity_on_spect(body, unit, s.spect).astype(np.float32)
    half_life = HALF_LIFE_TC99M_S
    rate = np.log(2.0) / half_life
    # Mean of the decay over a frame: what correction to the injection divides by.
    decay = np.exp(-rate * starts) * -np.expm1(-rate * durations) / (rate * durations)
    per_bq_ml = s.sensitivity_cps_per_mbq * 1e-6 * grid.voxel_volume_ml * durations * decay
    rng = np.random.default_rng([s.seed, 71])
    frames = np.empty((durations.size, *grid.shape), np.float32)
    for t in range(durations.size):
        report(0.8 + 0.2 * t / durations.size, f"Counting frame {t + 1}")
        clean = sum(curves[name][t] * share for name, share in shares.items())
        if s.noise:
            frames[t] = rng.poisson(np.maximum(clean, 0.0) * per_bq_ml[t]) / per_bq_ml[t]
        else:
            frames[t] = clean
    _, labels = body.paint(grid, [], [])
    masks = {}
    for name in TISSUES:
        numbers = [number for number, kind in enumerate(kinds, 1) if kind == name]
        masks[name] = grid.apply_to(sitk.GetImageFromArray(np.isin(labels, numbers).astype(np.uint8)))
    series = DynamicSeries(
        frames,
        starts + durations / 2,
        grid,
        "NM",
        "Bq/mL",
        _facts(s, half_life),
        durations_s=durations,
        name="Dynamic SPECT",
    )
    report(1.0, "Dynamic SPECT simulated")
    return DynamicSpectScan(s, series, blood, curves, dict(TISSUES), masks)


def _tissue_of(body: Torso, number: int) -> str:
    """Which kinetics a part of the torso follows; "" for what stays empty."""
    part = body.parts[number]
    if any(region.startswith("lesion_") for region in part.regions):
        return "lesion"
    if part.tissue in _MARROW:
        return "marrow"
    tissue = "blood_pool" if part.tissue == "blood" else part.tissue  # as the job names its input
    return tissue if tissue in TISSUES else ""


def _facts(s: DynamicSpectSettings, half_life_s: float) -> Acquisition:
    start = datetime(2024, 3, 12, 9)
    return Acquisition(
        patient_id=f"BQD{s.seed:05d}",
        patient_name="PHANTOM^DYNAMIC",
        patient_weight_kg=75.0,
        study_datetime=start - timedelta(minutes=5),
        acquisition_start=start,
        injection_time=start,
        injected_activity_bq=s.activity_bq,
        radionuclide="99mTc",
        half_life_s=half_life_s,
        decay_correction="ADMIN",
        series_description="Dynamic SPECT",
    )
