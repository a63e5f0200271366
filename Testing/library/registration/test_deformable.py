"""B-spline alignment: the derivative of its penalty, a known warp of a real CT found again, its inverse."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.registration import RegistrationSettings, register
from bonequant.registration.deformable import _bending, _empty_spline, _weights
from bonequant.volume import Volume, resample_to


def test_weights_are_those_of_the_transform() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(-100.0, 100.0, (3, 50))
    spline = _empty_spline(points, 50.0)
    control = random.normal(0.0, 5.0, len(spline.GetParameters()))
    spline.SetParameters(control.tolist())
    ours = points + np.stack([_weights(points, spline) @ axis for axis in control.reshape(3, -1)])
    itk = np.array([spline.TransformPoint(point) for point in points.T.tolist()]).T
    assert ours == pytest.approx(itk, abs=1e-9)


def test_bending_is_free_for_linear_stretches_and_its_slope_is_exact() -> None:
    z, y, x = np.indices((5, 6, 7)).astype(float)
    assert _bending(np.stack([x + 2.0 * y, z - y, 3.0 * x]), 10.0)[0] == pytest.approx(0.0, abs=1e-20)
    control = np.random.default_rng(0).normal(size=(3, 5, 6, 7))
    _, slopes = _bending(control, 10.0)
    for index in ((0, 0, 0, 0), (1, 2, 3, 4), (2, 4, 5, 6)):
        step = np.zeros_like(control)
        step[index] = 1e-4
        numeric = (_bending(control + step, 10.0)[0] - _bending(control - step, 10.0)[0]) / 2e-4
        assert slopes[index] == pytest.approx(numeric, rel=1e-6)


def test_a_known_warp_of_a_real_ct_is_found(pair: ModuleType, small_ct: Volume) -> None:
    small_ct = small_ct.replace(image=sitk.BinShrink(small_ct.image, [2, 2, 1]))  # 4 mm: a quarter of the time
    warp = sitk.BSplineTransformInitializer(small_ct.image, [3, 3, 3])
    warp.SetParameters(np.random.default_rng(3).normal(0.0, 8.0, len(warp.GetParameters())).tolist())
    warped = Volume(resample_to(small_ct.image, small_ct.geometry, warp, "linear", -1000.0), "CT", "HU")
    points = pair.bone_points()
    wanted = pair.apply(warp, points)
    result = register(small_ct, warped, RegistrationSettings(model="bspline", samples=15_000))
    errors = np.linalg.norm(pair.apply(result.transform, points) - wanted, axis=1)
    before = np.linalg.norm(wanted - points, axis=1)
    # 5 mm median (8 mm at most) before. After it a quarter of a 4 mm voxel, half a voxel at 95 % of the points.
    assert np.median(before) > 4.0
    assert np.median(errors) <= 1.0
    assert np.percentile(errors, 95) <= 2.0
    back = pair.apply(result.inverse, pair.apply(result.transform, points))
    assert np.linalg.norm(back - points, axis=1).max() <= 0.5  # the inverse lives on a 6 mm grid
