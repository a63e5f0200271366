"""A real PET/CT pair as registration sees a SPECT/CT: the CT and PET of ``petct_acrin``, and SPECT made from either.

``bone_spect`` paints uptake on the real CT (cortical and trabecular bone by threshold, soft tissue, lung, a hot liver,
hot lesions in bone), blurs it to the resolution of a SPECT, moves it by a known transform and draws Poisson counts.
``spect_like`` does the last three steps with the real PET, whose alignment with the CT is the scanner's own.
Every image is resampled in its moved position, then gets its own noise: nothing of it is shared between two pairs.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bonequant.io import load
from bonequant.volume import Geometry, Volume, image_from_array, resample_to

DATA = Path(os.environ.get("BONEQUANT_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SPECT_SPACING_MM = 4.42
SPECT_FWHM_MM = 15.0
PET_FWHM_MM = 7.0  # of the scanner's own reconstruction, about
COUNTS = 1.0e6
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
# Concentrations relative to trabecular bone, as a 99mTc-MDP bone scan of 3 h shows them, but with a liver that is hot.
UPTAKE = {"cortical": 1.6, "trabecular": 1.0, "soft": 0.12, "lung": 0.05, "liver": 1.0, "lesion": 8.0}


@functools.cache
def pair() -> tuple[Volume, Volume]:
    """(PET, CT) in the scanner's own alignment."""
    return load(DATA / "petct_acrin" / "PT"), load(DATA / "petct_acrin" / "CT")


def warm_up() -> None:
    """Do once what all pairs share, so that no measured time holds it."""
    for make in (bone_spect, spect_like):
        make(sitk.Transform(3, sitk.sitkIdentity), 0)
    bone_points()


def transforms(
    count: int, seed: int = 1, shift_mm: float = 30.0, angle_deg: float = 8.0
) -> list[sitk.Euler3DTransform]:
    """Known rigid misalignments about the body's centre: shifts up to ``shift_mm`` long, turns up to ``angle_deg``.

    Lengths and angles are spread evenly over a third of the limit up to the limit, their directions over the sphere,
    so that hard cases are always among them.
    """
    random = np.random.default_rng(seed)
    centre = body_centre()
    result = []
    for part in np.linspace(1.0 / 3.0, 1.0, count):
        shift, axis = (vector / np.linalg.norm(vector) for vector in random.normal(size=(2, 3)))
        rotation = sitk.VersorRigid3DTransform()
        rotation.SetRotation(axis.tolist(), float(np.deg2rad(angle_deg * part)))
        transform = sitk.Euler3DTransform()
        transform.SetCenter(centre)
        transform.SetMatrix(rotation.GetMatrix())
        transform.SetTranslation((shift * shift_mm * part).tolist())
        result.append(transform)
    return result


@functools.cache
def body_centre() -> tuple[float, float, float]:
    """Centroid of what the PET shows, LPS mm."""
    image = pair()[0].image
    weights = sitk.GetArrayFromImage(image)
    index = [
        float((weights.sum(axis=others) * np.arange(n)).sum() / weights.sum())
        for n, others in zip(weights.shape, ((1, 2), (0, 2), (0, 1)), strict=True)
    ]
    return image.TransformContinuousIndexToPhysicalPoint(index[::-1])


@functools.cache
def bone_points(count: int = 300, seed: int = 2) -> np.ndarray:
    """Points (count, 3), LPS mm, drawn evenly from the bone of the CT (table excluded)."""
    hu, geometry = _tissue_grid()
    index = np.argwhere(_body(hu) & (hu > 200.0))[:, ::-1]
    chosen = np.random.default_rng(seed).choice(len(index), count, replace=False)
    return index[chosen] @ geometry.index_to_physical[:3, :3].T + geometry.origin


def bone_spect(
    truth: sitk.Transform,
    seed: int,
    *,
    counts: float = COUNTS,
    fwhm_mm: float = SPECT_FWHM_MM,
    post_fwhm_mm: float = 0.0,
) -> Volume:
    """SPECT of the CT's patient after ``truth`` (CT points to SPECT points) moved it. Unit: counts."""
    return _acquire(_bone_activity(fwhm_mm), truth, seed, counts, post_fwhm_mm, "simulated SPECT")


def spect_like(
    truth: sitk.Transform,
    seed: int,
    *,
    counts: float = COUNTS,
    fwhm_mm: float = SPECT_FWHM_MM,
    post_fwhm_mm: float = 0.0,
) -> Volume:
    """The real PET with the resolution and the counts of a SPECT, moved by ``truth`` (CT points to its points)."""
    return _acquire(_blurred_pet(fwhm_mm), truth, seed, counts, post_fwhm_mm, "SPECT-like PET")


def target_errors_mm(estimate: sitk.Transform, truth: sitk.Transform, points: np.ndarray) -> np.ndarray:
    """Distance (N,) between where the two transforms send each point."""
    return np.linalg.norm(apply(estimate, points) - apply(truth, points), axis=1)


def apply(transform: sitk.Transform, points: np.ndarray) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


@functools.cache
def _tissue_grid() -> tuple[np.ndarray, Geometry]:
    """HU on a 2 x 2 x 3.3 mm grid (z, y, x), averages of the CT's own voxels, and that grid."""
    image = sitk.BinShrink(pair()[1].image, [2, 2, 1])
    return sitk.GetArrayFromImage(image), Geometry.of(image)


@functools.cache
def _bone_activity(fwhm_mm: float) -> sitk.Image:
    hu, geometry = _tissue_grid()
    body = _body(hu)
    random = np.random.default_rng(7)
    activity = np.where(hu > -250.0, UPTAKE["soft"], UPTAKE["lung"])
    centres = np.indices(hu.shape).reshape(3, -1).T.reshape(*hu.shape, 3) * geometry.spacing[::-1]
    # Liver: the soft tissue of an ellipsoid laid into the right upper abdomen, as this patient shows it.
    liver = _ellipsoid(centres, _at(geometry, (-75.0, -25.0, -255.0)), (75.0, 80.0, 85.0)) & (hu > 0.0) & (hu < 200.0)
    activity[liver] = UPTAKE["liver"]
    activity[hu > 130.0] = UPTAKE["trabecular"]
    activity[hu > 300.0] = UPTAKE["cortical"]
    bone = np.argwhere(body & (hu > 200.0))
    for index in bone[random.choice(len(bone), 8, replace=False)]:
        radius = random.uniform(8.0, 15.0)
        activity[_ellipsoid(centres, index * geometry.spacing[::-1], (radius,) * 3) & body] = UPTAKE["lesion"]
    activity[~body] = 0.0
    image = image_from_array(activity.astype(np.float32), geometry)
    return sitk.DiscreteGaussian(image, [(fwhm_mm / FWHM_PER_SIGMA) ** 2] * 3, 64, 0.001, True)


@functools.cache
def _blurred_pet(fwhm_mm: float) -> sitk.Image:
    variance = (fwhm_mm**2 - PET_FWHM_MM**2) / FWHM_PER_SIGMA**2
    return sitk.DiscreteGaussian(pair()[0].image, [variance] * 3, 64, 0.001, True)


def _body(hu: np.ndarray) -> np.ndarray:
    """The patient without the table: the largest piece above -300 HU once thin sheets are opened away, lungs filled."""
    solid = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray((hu > -300.0).astype(np.uint8)), [3, 3, 1])
    largest = sitk.RelabelComponent(sitk.ConnectedComponent(solid)) == 1
    slices = [sitk.BinaryFillhole(largest[:, :, z]) for z in range(largest.GetSize()[2])]
    return sitk.GetArrayFromImage(sitk.JoinSeries(slices)).astype(bool)


def _at(geometry: Geometry, point: tuple[float, float, float]) -> np.ndarray:
    """LPS mm as (z, y, x) mm from the first voxel."""
    return (np.array(point) - geometry.origin)[::-1]


def _ellipsoid(centres: np.ndarray, middle: np.ndarray, radii: tuple[float, float, float]) -> np.ndarray:
    """Voxels inside; ``radii`` in x, y, z."""
    return (((centres - middle) / np.array(radii)[::-1]) ** 2).sum(axis=-1) <= 1.0


def _acquire(
    activity: sitk.Image, truth: sitk.Transform, seed: int, counts: float, post_fwhm_mm: float, name: str
) -> Volume:
    """Counts of ``activity`` as it lies after ``truth``, on the SPECT's grid over the same field as the PET's."""
    field = Geometry.of(pair()[0].image)
    size = tuple(int(np.ceil(n * s / SPECT_SPACING_MM)) for n, s in zip(field.size, field.spacing, strict=True))
    origin = tuple(o + 0.5 * (SPECT_SPACING_MM - s) for o, s in zip(field.origin, field.spacing, strict=True))
    grid = Geometry(size, (SPECT_SPACING_MM,) * 3, origin, field.direction)
    expected = np.maximum(
        sitk.GetArrayFromImage(resample_to(activity, grid, truth.GetInverse(), interpolation="linear")), 0.0
    )
    noisy = np.random.default_rng(seed).poisson(expected * (counts / expected.sum())).astype(np.float32)
    image = image_from_array(noisy, grid)
    if post_fwhm_mm > 0.0:
        image = sitk.DiscreteGaussian(image, [(post_fwhm_mm / FWHM_PER_SIGMA) ** 2] * 3, 64, 0.001, True)
    return Volume(image, "NM", "counts", name=name)
