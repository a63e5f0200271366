"""Segments measured through parent transforms: the same numbers as the library's own measurement."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.roi import measure
from bonequant.volume import Volume


@pytest.fixture
def spect() -> Volume:
    """A Gaussian hot spot of 12 mm sd at (5, -7, 9) mm on a 4 mm grid."""
    z, y, x = np.mgrid[:32, :32, :32] * 4.0 - 62.0
    values = np.exp(-((x - 5) ** 2 + (y + 7) ** 2 + (z - 9) ** 2) / (2 * 12**2))
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing((4.0, 4.0, 4.0))
    image.SetOrigin((-62.0, -62.0, -62.0))
    return Volume(image, "NM", "SUVbw", name="SPECT")


def sphere(centre: tuple[float, float, float]) -> sitk.Image:
    z, y, x = np.mgrid[:60, :60, :60] * 1.5 - 44.25
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 < 11**2
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.SetSpacing((1.5, 1.5, 1.5))
    mask.SetOrigin((-44.25, -44.25, -44.25))
    return mask


@pytest.mark.parametrize("where", ["volume", "segmentation"])
def test_same_numbers_as_the_library_whichever_node_is_moved(scene, spect, where):
    registration = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.05, -0.08, 0.1, (6.0, -4.0, 3.0))
    mask = sphere(registration.GetInverse().TransformPoint((5.0, -7.0, 9.0)))
    expected = measure(spect, mask, registration, "lesion_1")

    volume, regions = mrml.to_node(spect), mrml.to_node({"lesion_1": mask}, "Lesions")
    node = mrml.to_node(registration, "registration")
    if where == "segmentation":
        node.Inverse()
    (volume if where == "volume" else regions).SetAndObserveTransformNodeID(node.GetID())
    found = mrml.measure_segments(volume, regions)["lesion_1"]

    assert found.mean == pytest.approx(expected.mean, rel=1e-9)
    assert found.total == pytest.approx(expected.total, rel=1e-9)
    assert (found.max, found.volume_ml, found.unit) == (expected.max, expected.volume_ml, "SUVbw")
    # Without the transform the mask misses the hot spot's centre by 8 mm: the test would see a forgotten one.
    assert measure(spect, mask, None, "lesion_1").mean < 0.95 * expected.mean


def test_an_empty_segment_is_named(scene, spect):
    with pytest.raises(InputError, match="nothing"):
        mrml.measure_segments(mrml.to_node(spect), mrml.to_node({"nothing": sphere((900.0, 0.0, 0.0))}))
