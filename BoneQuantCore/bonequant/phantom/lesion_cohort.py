"""Cohorts of bone lesions whose difference is known: metastatic and benign ones on CT and SPECT, or features of noise.

Every lesion has two hidden signals, one for CT and one for SPECT, each normal with SD 1 and, for a metastasis, a mean
of ``ct_effect`` or ``spect_effect``. On CT it sets how coarse the texture is, on SPECT how high the uptake. The signals
are independent, so the best possible AUC of one modality is Phi(effect/sqrt 2), of both
Phi(sqrt(ct_effect^2 + spect_effect^2)/sqrt 2); features see the signals through noise and reach less. Lesions of one
patient resemble each other and tend to be of one class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.special import ndtr

from bonequant.errors import SettingsError
from bonequant.phantom.ct import FWHM_PER_SIGMA, centered_grid
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry, Volume, image_from_array

_SAME_CLASS = 0.8  # probability that a lesion is of its patient's main class
_MARROW_HU, _LESION_HU, _TEXTURE_HU, _CT_NOISE_HU = 180.0, 420.0, 90.0, 15.0


@dataclass(frozen=True)
class LesionCohortSettings(Settings):
    """Size of the cohort, what is planted, and the two scans."""

    lesions: int = setting(60, low=4, high=2000)
    patients: int = setting(42, low=2, high=2000, help="Each has at least one lesion.")
    metastatic_share: float = setting(0.5, low=0.05, high=0.95, help="Share of patients whose main class it is.")
    ct_effect: float = setting(1.5, low=0.0, high=10.0, help="Mean of a metastasis' CT signal (texture), in SD.")
    spect_effect: float = setting(1.5, low=0.0, high=10.0, help="Mean of its SPECT signal (uptake), in SD.")
    patient_share: float = setting(0.3, low=0.0, high=0.95, help="Share of a signal's variance that is the patient's.")
    ct_spacing_mm: tuple[float, float, float] = setting((1.0, 1.0, 3.0), unit="mm", low=0.3, high=10)
    spect_spacing_mm: tuple[float, float, float] = setting((2.0, 2.0, 2.0), unit="mm", low=1, high=12)
    field_mm: float = setting(54.0, unit="mm", low=40, high=200, help="Side of the cube around each lesion.")
    spect_fwhm_mm: float = setting(8.0, unit="mm", low=1, high=30)
    seed: int = setting(0, low=0)


@dataclass(frozen=True, eq=False)
class LesionCase:
    """One lesion: images cut around it, its mask on the grid of each, and the truth."""

    lesion: str
    patient: str
    metastatic: bool
    ct: Volume
    spect: Volume
    ct_mask: sitk.Image
    spect_mask: sitk.Image
    ct_signal: float
    spect_signal: float


@dataclass(frozen=True, eq=False)
class LesionCohort:
    """The lesions, patient by patient."""

    settings: LesionCohortSettings
    cases: tuple[LesionCase, ...]

    @cached_property
    def labels(self) -> np.ndarray:
        """True for metastases, shape (N,)."""
        return np.array([case.metastatic for case in self.cases])

    @property
    def patients(self) -> list[str]:
        return [case.patient for case in self.cases]

    @property
    def best_auc(self) -> dict[str, float]:
        """AUC of the hidden signals themselves in an endless cohort: no model can do better."""
        ct, spect = self.settings.ct_effect, self.settings.spect_effect
        return {
            name: float(ndtr(effect / math.sqrt(2)))
            for name, effect in (("CT", ct), ("SPECT", spect), ("combined", math.hypot(ct, spect)))
        }


@dataclass(frozen=True, eq=False)
class FeatureCohort:
    """Features without images: ``x`` (N, P) and their ``names``, ``labels`` (N,) and patients (N,)."""

    names: tuple[str, ...]
    x: np.ndarray
    labels: np.ndarray
    patients: list[str]


def simulate_lesion_cohort(settings: LesionCohortSettings | None = None) -> LesionCohort:
    """Lesions with planted differences in CT texture and SPECT uptake; one seed gives one cohort.

    Raises SettingsError for fewer lesions than patients, or a draw that holds one class only.
    """
    s = LesionCohortSettings.of(settings)
    random = np.random.default_rng([s.seed, 11])
    owner, labels = _patients(s.lesions, s.patients, s.metastatic_share, random)
    own = random.standard_normal((s.lesions, 2))
    shared = random.standard_normal((s.patients, 2))[owner]
    signals = math.sqrt(1 - s.patient_share) * own + math.sqrt(s.patient_share) * shared
    signals += labels[:, None] * np.array([s.ct_effect, s.spect_effect])
    numbers = [int((owner[:at] == patient).sum()) + 1 for at, patient in enumerate(owner)]
    cases = [
        _case(s, at, f"P{owner[at] + 1:03d}", numbers[at], bool(labels[at]), *signals[at].tolist())
        for at in range(s.lesions)
    ]
    return LesionCohort(s, tuple(cases))


def null_features(
    lesions: int = 192, patients: int = 132, features: int = 279, *, patient_share: float = 0.3, seed: int = 0
) -> FeatureCohort:
    """Normal noise that has nothing to do with the labels, by default of the size of paper 3's cohort.

    Lesions of a patient share ``patient_share`` of each feature's variance, and mostly the class, as real ones do:
    whoever splits without regard to patients finds more than there is.
    """
    random = np.random.default_rng([seed, 13])
    owner, labels = _patients(lesions, patients, 0.5, random)
    shared = random.standard_normal((patients, features))[owner]
    own = random.standard_normal((lesions, features))
    x = math.sqrt(1 - patient_share) * own + math.sqrt(patient_share) * shared
    return FeatureCohort(
        tuple(f"noise_{at + 1}" for at in range(features)), x, labels, [f"P{patient + 1:03d}" for patient in owner]
    )


def _patients(lesions: int, patients: int, share: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Patient of each lesion, in order, and its class."""
    if lesions < patients:
        raise SettingsError(f"{patients} patients cannot share {lesions} lesions: each has at least one.")
    owner = np.sort(np.concatenate([np.arange(patients), random.integers(0, patients, lesions - patients)]))
    main = random.permutation(np.arange(patients) < round(share * patients))
    labels = main[owner] ^ (random.random(lesions) >= _SAME_CLASS)
    if labels.all() or not labels.any():
        raise SettingsError("This seed draws lesions of one class only: ask for more lesions, or another seed.")
    return owner, labels


def _case(
    s: LesionCohortSettings, at: int, patient: str, number: int, metastatic: bool, ct_signal: float, spect_signal: float
) -> LesionCase:
    random = np.random.default_rng([s.seed, 17, at])
    radii = random.uniform(9.0, 15.0) * random.uniform(0.85, 1.15, 3)
    cube = (s.field_mm,) * 3
    ct_grid = centered_grid(s.ct_spacing_mm, cube, (0.0, 0.0, 0.0))
    spect_grid = centered_grid(s.spect_spacing_mm, cube, (0.0, 0.0, 0.0))
    name = f"{patient}-{number}"
    ct_inside, spect_inside = _ellipsoid(ct_grid, radii), _ellipsoid(spect_grid, radii)
    ct = _ct(ct_grid, ct_inside, ct_signal, random)
    spect = _spect(spect_grid, spect_inside, spect_signal, s.spect_fwhm_mm, random)
    return LesionCase(
        lesion=name,
        patient=patient,
        metastatic=metastatic,
        ct=Volume(image_from_array(ct.astype(np.float32), ct_grid), "CT", "HU", name=f"{name} CT"),
        spect=Volume(image_from_array(spect.astype(np.float32), spect_grid), "NM", "g/mL", name=f"{name} SPECT"),
        ct_mask=image_from_array(ct_inside, ct_grid),
        spect_mask=image_from_array(spect_inside, spect_grid),
        ct_signal=ct_signal,
        spect_signal=spect_signal,
    )


def _ct(grid: Geometry, inside: np.ndarray, signal: float, random: np.random.Generator) -> np.ndarray:
    """HU: a dense lesion whose texture has a correlation length of 1.1 mm, 20 % more for each SD of the signal."""
    sigma = np.array([1.1 * math.exp(0.18 * signal) / h for h in grid.spacing[::-1]])
    texture = ndimage.gaussian_filter(random.standard_normal(grid.shape), sigma)
    texture *= _TEXTURE_HU / texture.std()
    density = _LESION_HU * math.exp(0.15 * random.standard_normal())
    image = np.where(inside, density + texture, _MARROW_HU + 0.4 * texture)
    return image + _CT_NOISE_HU * random.standard_normal(grid.shape)


def _spect(
    grid: Geometry, inside: np.ndarray, signal: float, fwhm_mm: float, random: np.random.Generator
) -> np.ndarray:
    """SUV: uptake of 6 in marrow of 4 on average, a quarter more for each SD of the signal, blurred; blurred noise."""
    sigma = [fwhm_mm / FWHM_PER_SIGMA / h for h in grid.spacing[::-1]]
    activity = 4.0 + 4.0 * inside * math.exp(0.25 * signal)
    image = ndimage.gaussian_filter(activity, sigma, mode="nearest")
    noise = ndimage.gaussian_filter(random.standard_normal(grid.shape), [0.7 * width for width in sigma])
    return np.maximum(image + 0.5 * np.sqrt(image / 4.0) * noise / noise.std(), 0.0)


def _ellipsoid(grid: Geometry, radii: np.ndarray) -> np.ndarray:
    """Voxels (z, y, x) whose centre lies within the half axes (x, y, z) mm about the origin."""
    axes = [grid.origin[axis] + grid.spacing[axis] * np.arange(grid.size[axis]) for axis in range(3)]
    x, y, z = (axis / radius for axis, radius in zip(axes, radii, strict=True))
    return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= 1.0
