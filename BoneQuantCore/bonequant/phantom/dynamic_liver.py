"""Dynamic liver CT that is known: dual supply, tumours of different supply, breathing, noise.

The liver takes C'(t) = k1a Ca(t - ta) + k1p Cp(t - tp) - k2 C (Materne et al., Clin Sci 2000;99:517), with the aorta's
and the portal vein's own enhancement as inputs; ALP = 100 k1a, PVP = 100 k1p (mL/min/100 mL), HPI = ALP / (ALP + PVP).
Aorta, spine, ribs and body wall stay where they are; liver, portal vein, tumours, spleen, kidneys and stomach move
together with the diaphragm, sliding along the wall::

    scan = simulate_liver(liver_preset("small"))
    scan.displacement_mm          # (T, 3): where the organs lie in each frame, relative to full expiration
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import SimpleITK as sitk

from bonequant.errors import SettingsError
from bonequant.kinetics import convolve_exponential
from bonequant.phantom.ct import AIR_HU, centered_grid
from bonequant.phantom.dynamic_liver_parts import BASE_HU, LIVER_REGIONS, liver_parts
from bonequant.phantom.dynamic_tissue import at_times, fine_times
from bonequant.phantom.raster import center_labels, paint
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume import Acquisition, Curve, DynamicSeries, Geometry, image_from_array

_BREATH_S = 4.3  # no multiple of the usual frame intervals: frames meet every phase of the breath
_SPLEEN_PER_MIN = (1.3, 4.0)  # supply k1 and washout k2
_KIDNEY_PER_MIN = (2.0, 3.0)
_FORWARD_SHARE = 0.2  # of the shift down, how much the organs move forward


@dataclass(frozen=True)
class LiverTissue:
    """Supply of one liver tissue: ``alp``, ``pvp`` in mL/min/100 mL, ``k2`` per minute, delays of the two inputs."""

    alp: float
    pvp: float
    k2: float
    delay_arterial_s: float = 1.0
    delay_portal_s: float = 0.0

    @property
    def tlp(self) -> float:
        return self.alp + self.pvp

    @property
    def hpi(self) -> float:
        """Arterial share in percent."""
        return 100.0 * self.alp / self.tlp


TISSUES = {
    "liver": LiverTissue(12.0, 74.0, 3.4),
    "tumour_1": LiverTissue(55.0, 10.0, 2.6),
    "tumour_2": LiverTissue(26.0, 44.0, 2.8),
    "tumour_3": LiverTissue(6.0, 8.0, 1.2),
}


@dataclass(frozen=True)
class LiverCtSettings(Settings):
    """The scan and how the patient breathes."""

    spacing_mm: tuple[float, float, float] = setting((1.5, 1.5, 4.0), unit="mm", low=0.5, high=10)
    field_mm: tuple[float, float, float] = setting((384.0, 288.0, 148.0), unit="mm", low=20)
    interval_s: float = setting(1.0, unit="s", low=0.3, high=10)
    duration_s: float = setting(45.0, unit="s", low=5, high=600)
    breathing_mm: float = setting(
        0.0, unit="mm", low=0, high=40, help="Shift of the organs from expiration to inspiration."
    )
    noise_hu: float = setting(0.0, unit="HU", low=0, high=100)
    scan_start: str = setting("2024-03-12T11:00:00", help="ISO local date-time of the first frame.")
    seed: int = setting(1, low=0)

    @property
    def geometry(self) -> Geometry:
        return centered_grid(self.spacing_mm, self.field_mm, (0.0, 5.0, 0.0))

    @property
    def times_s(self) -> np.ndarray:
        return self.interval_s * np.arange(int(self.duration_s / self.interval_s + 1e-9) + 1)

    @property
    def displacement_mm(self) -> np.ndarray:
        """(T, 3) LPS shift of the organs: down and a little forward, the depth of every breath a little different."""
        phase = np.pi * self.times_s / _BREATH_S
        depth = self.breathing_mm * np.sin(phase) ** 2 * (1.0 - 0.25 * np.sin(phase / 3.1) ** 2)
        return np.stack([np.zeros_like(depth), -_FORWARD_SHARE * depth, -depth], axis=1)


@dataclass(frozen=True, eq=False)
class LiverScan:
    """A dynamic CT.

    Attributes:
        series: HU.
        aorta, portal, spleen: true enhancement every 0.1 s, HU.
        curves: true enhancement at the frames by region.
        truth: supply by region.
        masks: at full expiration (no displacement): aorta, portal_vein, spleen, liver (without tumours), tumour_1 ...
        displacement_mm: (T, 3) of the organs in each frame.
    """

    settings: LiverCtSettings
    series: DynamicSeries
    aorta: Curve
    portal: Curve
    spleen: Curve
    curves: dict[str, np.ndarray]
    truth: dict[str, LiverTissue]
    masks: dict[str, sitk.Image]
    displacement_mm: np.ndarray


def liver_preset(name: str = "clinical", **changes: object) -> LiverCtSettings:
    """ "clinical" (256x192x37, every second, breathing 15 mm, 12 HU noise), "small" (96x72x30), "paper" (every 3 s)."""
    clinical = LiverCtSettings(breathing_mm=15.0, noise_hu=12.0)
    known = {
        "clinical": clinical,
        "small": dataclasses.replace(clinical, spacing_mm=(4.0, 4.0, 5.0), interval_s=2.0, duration_s=44.0),
        "paper": dataclasses.replace(clinical, interval_s=3.0, duration_s=42.0),
    }
    if name not in known:
        raise SettingsError(f"There is no preset {name!r}; choose one of {', '.join(known)}.")
    return dataclasses.replace(known[name], **changes)  # type: ignore[arg-type]


def liver_inputs(end_s: float) -> tuple[Curve, Curve]:
    """Enhancement (HU, every 0.1 s) of the aorta and, later and wider, of the portal vein."""
    t = fine_times(end_s)
    u = np.maximum(t - 8.0, 0.0)
    bolus = 270.0 * (u / 8.0) ** 3 * np.exp(3.0 * (1.0 - u / 8.0))
    aorta = bolus + 90.0 * (1.0 - np.exp(-u / 12.0)) * np.exp(-u / 200.0)
    through_gut = 60.0 / 7.0  # per minute: 7 s mean transit
    portal = 0.95 * through_gut * convolve_exponential(t, aorta, through_gut, t - 6.0)
    return Curve(t, aorta, "HU", "aorta"), Curve(t, portal, "HU", "portal vein")


def liver_curve(times_s: np.ndarray, aorta: Curve, portal: Curve, tissue: LiverTissue) -> np.ndarray:
    """Enhancement (T,) of a liver tissue at ``times_s``, exact for the inputs' straight lines."""
    at = np.asarray(times_s, dtype=np.float64)
    arterial = convolve_exponential(aorta.times_s, aorta.values, tissue.k2, at - tissue.delay_arterial_s)
    from_portal = convolve_exponential(portal.times_s, portal.values, tissue.k2, at - tissue.delay_portal_s)
    return (tissue.alp * arterial + tissue.pvp * from_portal) / 100.0


def simulate_liver(settings: LiverCtSettings | None = None, progress: Progress | None = None) -> LiverScan:
    """Simulate a scan; the same settings give the same scan."""
    s = LiverCtSettings.of(settings)
    report = progress or no_progress
    times, grid, shifts = s.times_s, s.geometry, s.displacement_mm
    aorta, portal = liver_inputs(float(times[-1]) + 10.0)
    fine = aorta.times_s
    k1, k2 = _SPLEEN_PER_MIN
    spleen = Curve(fine, k1 * convolve_exponential(fine, aorta.values, k2, fine - 1.0), "HU", "spleen")
    curves = {
        "aorta": at_times(aorta, times),
        "portal_vein": at_times(portal, times),
        "spleen": at_times(spleen, times),
        "kidney": _KIDNEY_PER_MIN[0] * convolve_exponential(fine, aorta.values, _KIDNEY_PER_MIN[1], times),
        **{name: liver_curve(times, aorta, portal, tissue) for name, tissue in TISSUES.items()},
    }
    frames = np.empty((times.size, *grid.shape), np.float32)
    rng = np.random.default_rng([s.seed, 53])
    for t in range(times.size):
        report(t / times.size, f"Simulating frame {t + 1} of {times.size}")
        frames[t] = _paint(grid, shifts[t], {name: curve[t] for name, curve in curves.items()})[0]
        if s.noise_hu:
            frames[t] += s.noise_hu * rng.standard_normal(grid.shape, dtype=np.float32)
    np.clip(frames, -1024.0, 3071.0, out=frames)
    labels = _paint(grid, np.zeros(3), {})[1]
    masks = _masks(labels, grid)
    series = DynamicSeries(frames, times, grid, "CT", "HU", _facts(s), name="Liver perfusion CT")
    report(1.0, "Liver simulated")
    return LiverScan(s, series, aorta, portal, spleen, curves, dict(TISSUES), masks, shifts)


def _paint(grid: Geometry, shift_mm: np.ndarray, enhancement: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    parts = liver_parts(tuple(shift_mm.tolist()))
    hu = [BASE_HU[part.tissue] + enhancement.get(part.name, 0.0) for part in parts]
    image, labels = np.empty(grid.shape, np.float32), np.empty(grid.shape, np.uint8)
    for z, (slab,), found in paint(parts, [hu], [AIR_HU], grid, np.eye(4)):
        image[z] = slab
        labels[z] = center_labels(found, grid)
    return image, labels


def _masks(labels: np.ndarray, grid: Geometry) -> dict[str, sitk.Image]:
    parts = liver_parts((0.0, 0.0, 0.0))
    return {
        name: image_from_array(np.isin(labels, [n for n, part in enumerate(parts, 1) if part.name == name]), grid)
        for name in LIVER_REGIONS
    }


def _facts(s: LiverCtSettings) -> Acquisition:
    start = datetime.fromisoformat(s.scan_start)
    return Acquisition(
        patient_id=f"BQL{s.seed % 1_000_003:05d}",
        patient_name="PHANTOM^LIVER",
        study_datetime=start - timedelta(minutes=5),
        series_datetime=start,
        acquisition_start=start,
        study_description="BoneQuant liver perfusion phantom",
        series_description="Liver perfusion",
        manufacturer="BoneQuant",
        scanner="Analytic phantom",
        protocol={"kvp": 100.0, "contrast_agent": "iodine 370 mg/mL", "slice_thickness_mm": s.spacing_mm[2]},
    )
