"""The metric: its gradient against finite differences, its value against the closed form, bit for bit repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import RegistrationError
from bonequant.registration.metric import MutualInformation, Samples
from bonequant.registration.rigid import Motion
from bonequant.volume import Geometry

GEOMETRY = Geometry((20, 24, 16), (4.0, 3.0, 5.0), (-40.0, -36.0, -40.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def _metric(seed: int = 0, count: int = 4000) -> MutualInformation:
    random = np.random.default_rng(seed)
    image = random.normal(size=GEOMETRY.shape)
    # The box of the samples reaches beyond the image, so that the fading at its border is part of the test.
    points = random.uniform(-60.0, 60.0, (3, count))
    return MutualInformation(Samples(random.normal(size=count), points), image, GEOMETRY, 16)


@pytest.mark.parametrize("size", [6, 12])
def test_gradient_is_that_of_the_value(size: int) -> None:
    metric = _metric()
    start = Motion(np.array([9.0, -6.0, 4.0, 2.1, -1.3, 0.7]), np.array([5.0, -4.0, 3.0]))
    motion = start if size == 6 else start.as_affine()
    points = metric.samples.points
    slopes = motion.slopes(points, metric(motion.apply(points))[1])
    numeric = []
    for k in range(size):
        step = 1e-5 * np.eye(size)[k]
        above, below = (metric(motion.moved(motion.parameters + s).apply(points))[0] for s in (step, -step))
        numeric.append((above - below) / 2e-5)
    # The interpolant has kinks between voxels: a few of 4000 samples cross one within the step.
    assert slopes == pytest.approx(np.array(numeric), abs=2e-3 * np.abs(slopes).max())


def test_affine_form_is_the_same_motion() -> None:
    motion = Motion(np.array([9.0, -6.0, 4.0, 2.1, -1.3, 0.7]), np.array([5.0, -4.0, 3.0]))
    points = np.random.default_rng(1).uniform(-50, 50, (3, 20))
    itk = np.array([motion.transform().TransformPoint(point) for point in points.T.tolist()]).T
    assert motion.apply(points) == pytest.approx(itk, abs=1e-9)
    assert motion.as_affine().apply(points) == pytest.approx(itk, abs=1e-9)
    assert Motion.of(motion.transform()).apply(points) == pytest.approx(itk, abs=1e-9)


def test_independent_images_share_nothing_and_equal_ones_their_entropy() -> None:
    random = np.random.default_rng(2)
    levels = random.integers(0, 4, GEOMETRY.shape).astype(float)
    index = np.stack([axis.ravel() for axis in np.indices(GEOMETRY.shape)[::-1]]).astype(float)
    inner = np.all((index.T >= 3) & (np.array(GEOMETRY.size) - 3 > index.T), axis=1)
    points = index[:, inner] * np.array(GEOMETRY.spacing)[:, None] + np.array(GEOMETRY.origin)[:, None]
    values = levels.ravel()[inner]
    same = MutualInformation(Samples(values, points), levels, GEOMETRY, 32)(points)[0]
    # Four levels lie 31/3 bins apart, so windows do not mix: the information is the entropy of the levels.
    share = np.bincount(values.astype(int)) / values.size
    assert same == pytest.approx(-(share * np.log(share)).sum(), rel=1e-9)
    other = MutualInformation(Samples(random.permutation(values), points), levels, GEOMETRY, 32)(points)[0]
    # Chance alone gives (cells - 1)^2 / 2N with the 4 levels and the windows' spread over 4 columns.
    assert other < 4 * 3 * 3 / (2.0 * values.size)


def test_value_is_the_same_to_the_bit() -> None:
    first, second = _metric(), _metric()
    points = first.samples.points
    assert first(points)[0] == second(points)[0]
    assert np.array_equal(first(points)[1], second(points)[1])


def test_no_overlap_is_an_error() -> None:
    metric = _metric()
    with pytest.raises(RegistrationError, match="do not overlap"):
        metric(metric.samples.points + 1000.0)
