"""Registration finds misalignments that are known: up to 30 mm and 8 degrees on a real CT, SPECT simulated from it and
the real PET made SPECT-like. The bounds are the issue's; ``python -m benchmarks registration`` gives the full table."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.registration import RegistrationSettings, register, register_via
from bonequant.volume import Volume, image_from_array

PAIRS = 2


def _offsets(pair: ModuleType, estimate: sitk.Transform, truth: sitk.Transform) -> np.ndarray:
    points = pair.bone_points()
    return pair.apply(truth.GetInverse(), pair.apply(estimate, points)) - points


def test_simulated_spect_comes_back_to_its_ct(pair: ModuleType, ct: Volume) -> None:
    errors = []
    for seed, truth in enumerate(pair.transforms(PAIRS)):
        result = register(pair.bone_spect(truth, seed), ct)
        errors.append(np.linalg.norm(_offsets(pair, result.transform, truth), axis=1))
    # Measured over 20: median 0.3, maximum 0.9. A third of the bound asked for (2.5 and 4.5) catches a step back.
    assert np.median(errors) <= 0.8
    assert np.max(errors) <= 1.5


def test_spect_like_pet_agrees_with_itself_and_the_scanner(pair: ModuleType, ct: Volume) -> None:
    offsets = []
    for seed, truth in enumerate(pair.transforms(PAIRS)):
        offsets.append(_offsets(pair, register(pair.spect_like(truth, seed), ct).transform, truth))
    offsets = np.array(offsets)
    apart = np.linalg.norm(offsets[:, None] - offsets[None], axis=3).mean(axis=2)
    assert apart.max() <= 1.0
    assert np.linalg.norm(offsets, axis=2).max() <= 3.5  # at the worst bone point, breathing included


def test_both_directions_are_one_alignment(spect: Volume, ct: Volume) -> None:
    there, back = register(spect, ct), register(ct, spect)
    for point in ((10.0, 20.0, -100.0), (-150.0, 60.0, -300.0)):
        assert back.inverse.TransformPoint(point) == there.transform.TransformPoint(point)
        assert there.inverse.TransformPoint(there.transform.TransformPoint(point)) == pytest.approx(point, abs=1e-9)


def test_affine_stays_near_the_rigid_truth(pair: ModuleType, spect: Volume, ct: Volume, truth: sitk.Transform) -> None:
    result = register(spect, ct, RegistrationSettings(model="affine"))
    # Six more parameters fit noise: within the bounds of the issue, but worse than rigid (measured 0.9 and 2.6 mm).
    errors = np.linalg.norm(_offsets(pair, result.transform, truth), axis=1)
    assert np.median(errors) <= 2.5
    assert errors.max() <= 4.5


def test_the_spect_is_carried_by_its_own_ct(
    pair: ModuleType, small_ct: Volume, moved_ct: Volume, spect: Volume, truth: sitk.Transform
) -> None:
    # SPECT and second CT were moved alike, as one hybrid scan, but for a slip of the SPECT that is known.
    slip = sitk.TranslationTransform(3, (5.0, -3.0, 2.0))
    result = register_via(spect, moved_ct, small_ct, companion_to_moving=slip)
    points = pair.bone_points()
    found = pair.apply(result.transform, points) - np.array((5.0, -3.0, 2.0))
    # CT to CT is found to a tenth of a slice (measured 0.04 mm).
    assert np.linalg.norm(found - pair.apply(truth, points), axis=1).max() <= 0.3
    assert pair.apply(result.inverse, pair.apply(result.transform, points)) == pytest.approx(points, abs=1e-9)


def test_spect_and_mr(pair: ModuleType, small_ct: Volume, spect: Volume, truth: sitk.Transform) -> None:
    # An MR of the same anatomy by a tissue table: bone dark, fat bright, air black.
    hu = [-1000.0, -200.0, -100.0, -50.0, 0.0, 60.0, 150.0, 400.0, 1000.0]
    signal = np.interp(small_ct.array, hu, [0.0, 20.0, 900.0, 700.0, 300.0, 450.0, 600.0, 250.0, 50.0])
    signal += np.random.default_rng(1).normal(0.0, 20.0, signal.shape)
    mr = Volume(image_from_array(np.abs(signal).astype(np.float32), small_ct.geometry), "MR", name="MR")
    errors = np.linalg.norm(_offsets(pair, register(spect, mr).transform, truth), axis=1)
    assert np.median(errors) <= 2.5  # the bounds asked for beside a CT
    assert errors.max() <= 4.5
