"""Digital reference objects of DCE-MRI: tissue whose Ktrans, ve and vp are known, voxel by voxel, as signal.

``qiba_dro``: the layout and numbers of QIBA's Tofts object version 6 (RSNA QIBA DCE-MRI; Barboriak, Duke): 80 x 50
voxels in patches of 10 x 10, rows 0-9 marker, 10-69 tissue with Ktrans by row and ve by column, 70-79 the input.
``extended_tofts_dro``: the same idea for three parameters: Ktrans by row, ve by column, vp by slice, any noise.

Curves are exact for an input that is straight between points 0.1 s apart; Parker's AIF.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.phantom.dynamic_tissue import Tissue, at_times, magnitude, parker_input, spgr, tissue_curve
from bonequant.settings import Settings, setting
from bonequant.volume import Acquisition, Curve, DynamicSeries, Geometry, image_from_array

_BLOOD_T1_S = 1.44
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class DroSettings(Settings):
    """Sequence, sampling, grid of parameters and noise. The defaults are the extended-Tofts object at SNR 20."""

    ktrans: tuple[float, ...] = setting((0.02, 0.05, 0.1, 0.2, 0.35), unit="1/min", low=0.001, high=2)
    ve: tuple[float, ...] = setting((0.1, 0.2, 0.35, 0.5), low=0.001, high=1)
    vp: tuple[float, ...] = setting((0.005, 0.02, 0.05, 0.1), low=0, high=1)
    patch: int = setting(10, unit="voxels", low=1, high=100)
    interval_s: float = setting(5.0, unit="s", low=0.1, high=60)
    frames: int = setting(60, low=4, high=5000)
    arrival_s: float = setting(30.0, unit="s", low=0, high=300)
    snr: float = setting(20.0, low=0, help="Peak of each voxel's concentration over the noise; 0 for none.")
    tr_ms: float = setting(5.0, unit="ms", low=0.5, high=100)
    flip_angle_deg: float = setting(30.0, unit="deg", low=1, high=90)
    t1_ms: float = setting(1000.0, unit="ms", low=50, high=5000, help="Of tissue; blood has 1440 ms.")
    s0: float = setting(50000.0, low=1)
    relaxivity: float = setting(4.5, unit="1/(mM s)", low=1, high=20)
    hematocrit: float = setting(0.45, low=0, high=0.7)
    seed: int = setting(1, low=0)

    @property
    def times_s(self) -> np.ndarray:
        return self.interval_s * np.arange(self.frames)


@dataclass(frozen=True, eq=False)
class Dro:
    """A reference object.

    Attributes:
        series: spoiled gradient echo signal of that concentration; see also :func:`noisy_signal`.
        concentration: mM, with Gaussian noise by the settings' SNR; blood in the input strip is whole blood.
        aif: plasma, mM, every 0.1 s: the input that the tissue curves were made with.
        aif_at_frames: the same, sampled at the frames, as a scanner would see it.
        truth: "ktrans", "ve", "vp" (z, y, x), NaN outside the tissue.
        tissue: mask of the patches.
        blood: mask of the input strip.
    """

    settings: DroSettings
    series: DynamicSeries
    concentration: DynamicSeries
    aif: Curve
    aif_at_frames: Curve
    truth: dict[str, np.ndarray]
    tissue: sitk.Image
    blood: sitk.Image

    def curves(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Concentration of the tissue voxels (N, T), float64, and their true parameters (N,)."""
        inside = sitk.GetArrayViewFromImage(self.tissue) > 0
        return self.concentration.frames[:, inside].T.astype(np.float64), {
            name: values[inside] for name, values in self.truth.items()
        }


def qiba_dro(snr: float = 0.0, frames: int = 1321) -> Dro:
    """QIBA v6: standard Tofts, TR 5 ms, FA 30 degrees, a frame every 0.5 s, T1 1000 ms, S0 50000, haematocrit 0.45."""
    return simulate_dro(
        DroSettings(
            ktrans=(0.01, 0.02, 0.05, 0.1, 0.2, 0.35),
            ve=(0.01, 0.05, 0.1, 0.2, 0.5),
            vp=(0.0,),
            interval_s=0.5,
            frames=frames,
            arrival_s=60.0,
            snr=snr,
        )
    )


def extended_tofts_dro(snr: float = 20.0, **changes: object) -> Dro:
    """Ktrans x ve x vp in patches, 60 frames of 5 s; ``changes`` are fields of :class:`DroSettings`."""
    return simulate_dro(DroSettings(snr=snr, **changes))  # type: ignore[arg-type]


def simulate_dro(settings: DroSettings | None = None) -> Dro:
    """The reference object of these settings; the same settings give the same object."""
    s = DroSettings.of(settings)
    times = s.times_s
    aif = parker_input(float(times[-1]), s.arrival_s, s.hematocrit)
    rows, columns, slices, side = len(s.ktrans), len(s.ve), len(s.vp), s.patch
    shape = (slices, (rows + 2) * side, columns * side)
    grid = Geometry((shape[2], shape[1], shape[0]), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), _IDENTITY)
    concentration = np.zeros((times.size, *shape), np.float32)
    truth = {name: np.full(shape, np.nan) for name in ("ktrans", "ve", "vp")}
    rng = np.random.default_rng([s.seed, 61])
    for z, vp in enumerate(s.vp):
        for i, ktrans in enumerate(s.ktrans):
            for j, ve in enumerate(s.ve):
                place = (z, slice((i + 1) * side, (i + 2) * side), slice(j * side, (j + 1) * side))
                curve = tissue_curve(times, aif, Tissue(ktrans, ktrans / ve, vp))
                patch = np.broadcast_to(curve[:, None, None], (times.size, side, side))
                if s.snr:
                    patch = patch + curve.max() / s.snr * rng.standard_normal(patch.shape)
                concentration[(slice(None), *place)] = patch
                for name, value in (("ktrans", ktrans), ("ve", ve), ("vp", vp)):
                    truth[name][place] = value
    blood = np.zeros(shape, bool)
    blood[:, (rows + 1) * side :] = True
    plasma = at_times(aif, times)
    concentration[:, blood] = ((1.0 - s.hematocrit) * plasma)[:, None]
    tissue = np.isfinite(truth["ktrans"])
    facts = Acquisition(
        series_description="DCE reference object",
        protocol={"repetition_time_ms": s.tr_ms, "flip_angle_deg": s.flip_angle_deg},
    )
    noisy = DynamicSeries(concentration, times, grid, "MR", "mM", facts, name="DRO concentration")
    signal = _signal(s, concentration, blood, tissue)
    series = DynamicSeries(signal, times, grid, "MR", "", facts, name="DRO signal")
    masks = (image_from_array(mask, grid) for mask in (tissue, blood))
    sampled = Curve(times, plasma, "mM", "AIF at the frames, plasma")
    return Dro(s, series, noisy, aif, sampled, truth, *masks)


def noisy_signal(dro: Dro, snr: float, seed: int = 1) -> DynamicSeries:
    """The object's signal as a magnitude image whose noise is the tissue's baseline signal over ``snr`` (Rician)."""
    baseline = float(dro.series.frames[0][sitk.GetArrayViewFromImage(dro.tissue) > 0].mean())
    rng = np.random.default_rng([seed, 67])
    frames = np.stack([magnitude(frame, baseline / snr, rng) for frame in dro.series.frames])
    return dro.series.replace(frames=frames)


def _signal(s: DroSettings, concentration: np.ndarray, blood: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    t10 = np.where(blood, _BLOOD_T1_S, s.t1_ms / 1000.0)
    signal = np.empty_like(concentration)
    for t, frame in enumerate(concentration):
        signal[t] = spgr(
            frame, t10, tr_s=s.tr_ms / 1000, flip_angle_deg=s.flip_angle_deg, relaxivity=s.relaxivity, s0=s.s0
        )
    signal[:, ~(blood | tissue)] = 0.0
    # The marker: a step of brightness from left to right, which shows at once whether an axis was turned over.
    signal[:, :, : s.patch] = np.linspace(0.0, s.s0 / 10.0, signal.shape[3], dtype=np.float32)
    return signal
