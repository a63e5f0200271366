"""Spine DCE-MRI that is known: a sagittal slab with aorta, vertebrae and one lesion, before and after treatment.

Acquisition as in T1 DCE of spine metastases (1.5 T, gadobutrol, 3-D spoiled gradient echo, TR 4.5 ms, FA 25 degrees,
5 mm sagittal slices, FOV 32 cm, a frame every 5 s for 300 s). Blood runs down the aorta with a delay that grows along
it; marrow, lesion and muscle follow the extended Tofts model under Parker's AIF. Voxels mix tissues by volume, in
signal::

    before = simulate_spine()
    after = simulate_spine(spine_follow_up(before.settings))
    before.lesion_to(after)              # points of the first scan to points of the second
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import SimpleITK as sitk

from bonequant.errors import SettingsError
from bonequant.phantom.dynamic_spine_parts import REGIONS_OF, TISSUES, spine_parts
from bonequant.phantom.dynamic_tissue import Tissue, at_times, magnitude, parker_input, spgr, tissue_curve
from bonequant.phantom.pose import chain, rigid
from bonequant.phantom.raster import center_labels, paint
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume import Acquisition, Curve, DynamicSeries, Geometry, Volume, image_from_array
from bonequant.volume.geometry import matrix_of

_SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # columns: rows run back, columns down, slices to the right
_T1_S = {"muscle": 0.95, "fat": 0.29, "disc": 0.9, "csf": 3.0, "marrow": 0.55, "lesion": 1.0, "blood": 1.44}
_DENSITY = {"muscle": 0.8, "fat": 0.9, "disc": 0.7, "csf": 1.0, "marrow": 0.7, "lesion": 0.85, "blood": 0.95}
_COIL_DEPTH_MM = 160.0  # signal of the spine coil falls to 1/e over this depth
_SCALE = 40000.0
_VEIN_DELAY_S, _VEIN_SPREAD_PER_MIN = 6.0, 5.0


@dataclass(frozen=True)
class SpineDceSettings(Settings):
    """The scan, the lesion, and how the patient lies."""

    matrix: tuple[int, int, int] = setting((256, 256, 12), low=6, high=512, help="Columns, rows, slices.")
    spacing_mm: tuple[float, float, float] = setting((1.25, 1.25, 5.0), unit="mm", low=0.5, high=10)
    frames: int = setting(60, low=2, high=400)
    interval_s: float = setting(5.0, unit="s", low=0.5, high=60)
    arrival_s: float = setting(30.0, unit="s", low=0, high=120, help="Bolus at the top of the aorta.")
    aorta_mm_per_s: float = setting(150.0, unit="mm/s", low=10, high=1000, help="Speed of the bolus down the aorta.")
    delay_s: float = setting(2.0, unit="s", low=0, high=20, help="From the aorta to the tissues.")
    snr: float = setting(20.0, low=0, help="Baseline signal of normal marrow over the noise; 0 for no noise.")
    tr_ms: float = setting(4.5, unit="ms", low=1, high=50)
    te_ms: float = setting(1.5, unit="ms", low=0.5, high=10)
    flip_angle_deg: float = setting(25.0, unit="deg", low=1, high=90)
    vfa_deg: tuple[float, ...] = setting((), unit="deg", low=1, high=90, help="Flip angles of a T1 series, if any.")
    relaxivity: float = setting(5.2, unit="1/(mM s)", low=1, high=20, help="Gadobutrol at 1.5 T.")
    hematocrit: float = setting(0.42, low=0, high=0.7)
    lesion_ktrans: float = setting(0.11, unit="1/min", low=0, high=2)
    lesion_kep: float = setting(0.88, unit="1/min", low=0.01, high=10)
    lesion_vp: float = setting(0.12, low=0, high=1)
    lesion_size: float = setting(1.0, low=0.2, high=1.3, help="Diameters relative to 28 x 24 x 20 mm.")
    marrow_ktrans: float = setting(0.03, unit="1/min", low=0, high=2)
    marrow_kep: float = setting(0.5, unit="1/min", low=0.01, high=10)
    marrow_vp: float = setting(0.02, low=0, high=1)
    pose: tuple[float, float, float, float, float, float] = setting(
        (0.0,) * 6, help="How the patient lies: shift x, y, z in mm, rotation about x, y, z in degrees."
    )
    scan_start: str = setting("2024-03-12T10:00:00", help="ISO local date-time of the first frame.")
    seed: int = setting(1, low=0)

    @property
    def geometry(self) -> Geometry:
        size = np.array(self.matrix)
        axes = np.reshape(_SAGITTAL, (3, 3)) * self.spacing_mm
        origin = np.array([0.0, 10.0, 0.0]) - axes @ ((size - 1) / 2.0)
        return Geometry(self.matrix, self.spacing_mm, tuple(origin.tolist()), _SAGITTAL)

    @property
    def times_s(self) -> np.ndarray:
        return self.interval_s * np.arange(self.frames)

    @property
    def tissues(self) -> dict[str, Tissue]:
        """Kinetics of every tissue that takes up contrast; the rest stays as it is."""
        return {
            "marrow": Tissue(self.marrow_ktrans, self.marrow_kep, self.marrow_vp, self.delay_s),
            "lesion": Tissue(self.lesion_ktrans, self.lesion_kep, self.lesion_vp, self.delay_s),
            "muscle": Tissue(0.04, 0.4, 0.01, self.delay_s + 2.0),
        }


@dataclass(frozen=True, eq=False)
class SpineScan:
    """One date.

    Attributes:
        series: signal, MR.
        aif: plasma concentration (mM) at the middle of the aorta's course in the image, every 0.1 s.
        masks: on the grid of the series, by the tissue at the voxel's centre: aorta, vein, marrow, lesion_1,
            vertebra_1 .. from top to bottom, muscle, disc, canal.
        fractions: share of every voxel by tissue, float32 (z, y, x).
        truth: "ktrans", "ve", "vp" as maps by the tissue at the centre, NaN where there is no tissue model.
        t1: T10 in s as a Volume, mean over the tissues in the voxel, NaN in air.
        vfa: one Volume per flip angle of the T1 series, signal.
        to_patient: points of the scan to points of the patient's body.
    """

    settings: SpineDceSettings
    series: DynamicSeries
    aif: Curve
    masks: dict[str, sitk.Image]
    fractions: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    t1: Volume
    vfa: dict[float, Volume]
    to_patient: sitk.Transform

    def lesion_to(self, other: SpineScan) -> sitk.Transform:
        """The true transform from points of this scan to points of ``other``."""
        return chain(self.to_patient, other.to_patient.GetInverse())


def spine_preset(name: str = "clinical", **changes: object) -> SpineDceSettings:
    """Settings by name: "clinical" (256x256x12, 60 frames) or "small" (80x96x8, 50 frames, for tests)."""
    if name == "clinical":
        settings = SpineDceSettings()
    elif name == "small":
        settings = SpineDceSettings(matrix=(80, 96, 8), spacing_mm=(3.0, 3.0, 6.0), frames=50)
    else:
        raise SettingsError(f"There is no preset {name!r}; choose clinical or small.")
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def spine_follow_up(before: SpineDceSettings, **changes: object) -> SpineDceSettings:
    """Settings of the scan 62 days after treatment: a lesion that responded (vp 0.12 to 0.022), lying otherwise."""
    later = datetime.fromisoformat(before.scan_start) + timedelta(days=62)
    responded: dict[str, object] = {
        "lesion_vp": 0.022,
        "lesion_ktrans": 0.055,
        "lesion_size": 0.92,
        "pose": (2.0, -4.0, 9.0, 3.0, -1.0, 1.5),
        "scan_start": later.isoformat(timespec="seconds"),
        "seed": before.seed + 1_000_003,
    }
    return dataclasses.replace(before, **{**responded, **changes})  # type: ignore[arg-type]


def simulate_spine(settings: SpineDceSettings | None = None, progress: Progress | None = None) -> SpineScan:
    """Simulate one date; the same settings give the same scan."""
    s = SpineDceSettings.of(settings)
    report = progress or no_progress
    report(0.0, "Painting the spine")
    grid = s.geometry
    to_patient = chain(rigid(s.pose).GetInverse())
    fractions, masks = _paint(s, grid, to_patient)
    end = float(s.times_s[-1]) + s.interval_s
    input_top = parker_input(end, s.arrival_s, s.hematocrit)
    rows_delay_s = np.arange(grid.size[1]) * grid.spacing[1] / s.aorta_mm_per_s
    middle = float(np.median(rows_delay_s))
    aif = Curve(input_top.times_s, at_times(input_top, input_top.times_s - middle), "mM", "true AIF, plasma")
    coil = _coil(grid)
    sigma = 0.0 if s.snr == 0 else float(_signal(s, "marrow", np.zeros(1))[0]) / s.snr
    report(0.3, "Simulating frames")
    clean = _clean(s, fractions, input_top, aif, rows_delay_s)
    rng = np.random.default_rng([s.seed, 41])
    for t in range(s.frames):
        report(0.3 + 0.6 * t / s.frames, f"Simulating frame {t + 1} of {s.frames}")
        clean[t] *= coil
        if sigma:
            clean[t] = magnitude(clean[t], sigma, rng)
    truth = _truth(s, masks, grid)
    t1 = _t1(fractions)
    facts = _facts(s)
    vfa = {angle: _vfa(s, fractions, coil, angle, sigma, facts, grid) for angle in s.vfa_deg}
    series = DynamicSeries(clean, s.times_s, grid, "MR", "", facts, name="Spine DCE")
    t1_volume = Volume(image_from_array(t1, grid), "MR", "s", facts, "T1")
    report(1.0, "Spine simulated")
    images = {name: image_from_array(mask, grid) for name, mask in masks.items()}
    return SpineScan(s, series, aif, images, fractions, truth, t1_volume, vfa, to_patient)


def _paint(
    s: SpineDceSettings, grid: Geometry, to_patient: sitk.Transform
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    parts = spine_parts(s.lesion_size)
    one_hot = [[float(part.tissue == tissue) for part in parts] for tissue in TISSUES]
    shares = {tissue: np.empty(grid.shape, np.float32) for tissue in TISSUES}
    labels = np.empty(grid.shape, np.uint8)
    for z, images, found in paint(parts, one_hot, [0.0] * len(TISSUES), grid, matrix_of(to_patient)):
        for tissue, image in zip(TISSUES, images, strict=True):
            shares[tissue][z] = image
        labels[z] = center_labels(found, grid)
    masks: dict[str, np.ndarray] = {}
    for number, part in enumerate(parts, start=1):
        for region in (*part.regions, *REGIONS_OF.get(part.tissue, ())):
            masks[region] = masks.get(region, np.zeros(grid.shape, bool)) | (labels == number)
    return shares, masks


def _signal(s: SpineDceSettings, tissue: str, concentration: np.ndarray, angle: float | None = None) -> np.ndarray:
    return spgr(
        concentration,
        _T1_S[tissue],
        tr_s=s.tr_ms / 1000,
        flip_angle_deg=s.flip_angle_deg if angle is None else angle,
        relaxivity=s.relaxivity,
        s0=_SCALE * _DENSITY[tissue],
    )


def _clean(
    s: SpineDceSettings, fractions: dict[str, np.ndarray], top: Curve, aif: Curve, rows_delay_s: np.ndarray
) -> np.ndarray:
    """Noise-free signal (T, z, y, x) float32, without the coil's profile."""
    times = s.times_s
    still = [tissue for tissue in TISSUES if tissue not in ("aorta", "vein")]
    curves = []
    for tissue in still:
        model = s.tissues.get(tissue)
        concentration = np.zeros(times.size) if model is None else tissue_curve(times, aif, model)
        curves.append(_signal(s, tissue, concentration))
    returning = Tissue(_VEIN_SPREAD_PER_MIN, _VEIN_SPREAD_PER_MIN, 0.0, _VEIN_DELAY_S)
    blood = 1.0 - s.hematocrit
    still.append("vein")
    curves.append(_signal(s, "blood", blood * tissue_curve(times, aif, returning)))
    shares = np.stack([fractions[tissue] for tissue in still]).reshape(len(still), -1)
    frames = (np.stack(curves, axis=1).astype(np.float32) @ shares).reshape(times.size, *fractions["aorta"].shape)
    # The bolus passes the rows of the image one after the other.
    along = np.stack([_signal(s, "blood", blood * at_times(top, times - delay)) for delay in rows_delay_s], axis=1)
    frames += fractions["aorta"] * along.astype(np.float32)[:, None, :, None]
    return frames


def _coil(grid: Geometry) -> np.ndarray:
    """Sensitivity (1, 1, x): highest at the back."""
    y = grid.index_to_physical[1, 3] + grid.spacing[0] * np.arange(grid.size[0])
    return np.exp((y - 60.0) / _COIL_DEPTH_MM).clip(0.2, 1.5).astype(np.float32)[None, None, :]


def _truth(s: SpineDceSettings, masks: dict[str, np.ndarray], grid: Geometry) -> dict[str, np.ndarray]:
    truth = {name: np.full(grid.shape, np.nan) for name in ("ktrans", "ve", "vp")}
    for tissue, region in (("muscle", "muscle"), ("marrow", "marrow"), ("lesion", "lesion_1")):
        for name, values in truth.items():
            values[masks[region]] = getattr(s.tissues[tissue], name)
    return truth


def _t1(fractions: dict[str, np.ndarray]) -> np.ndarray:
    weight = sum(fractions.values())
    total = sum(_T1_S.get(tissue, _T1_S["blood"]) * share for tissue, share in fractions.items())
    return np.where(weight > 0.5, total / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


def _vfa(
    s: SpineDceSettings,
    fractions: dict[str, np.ndarray],
    coil: np.ndarray,
    angle: float,
    sigma: float,
    facts: Acquisition,
    grid: Geometry,
) -> Volume:
    signal = np.zeros(grid.shape, np.float32)
    for tissue, share in fractions.items():
        name = tissue if tissue in _T1_S else "blood"
        signal += share * np.float32(_signal(s, name, np.zeros(1), angle)[0])
    signal *= coil
    if sigma:
        signal = magnitude(signal, sigma, np.random.default_rng([s.seed, 43, round(100 * angle)]))
    own = dataclasses.replace(
        facts,
        protocol={**facts.protocol, "flip_angle_deg": angle},
        series_description=f"T1 FA {angle:g}",
    )
    return Volume(image_from_array(signal.astype(np.float32), grid), "MR", "", own, f"FA {angle:g}")


def _facts(s: SpineDceSettings) -> Acquisition:
    start = datetime.fromisoformat(s.scan_start)
    return Acquisition(
        patient_id=f"BQS{s.seed % 1_000_003:05d}",
        patient_name="PHANTOM^SPINE",
        study_datetime=start - timedelta(minutes=10),
        series_datetime=start,
        acquisition_start=start,
        study_description="BoneQuant spine DCE phantom",
        series_description="Sag DCE 3D FSPGR",
        manufacturer="BoneQuant",
        scanner="Analytic phantom",
        protocol={
            "repetition_time_ms": s.tr_ms,
            "echo_time_ms": s.te_ms,
            "flip_angle_deg": s.flip_angle_deg,
            "field_strength_t": 1.5,
            "contrast_agent": "gadobutrol",
            "slice_thickness_mm": s.spacing_mm[2],
        },
    )
