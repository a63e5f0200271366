"""Maps over anatomy: colours stand where the map has values, grey where it has none, and sides are the patient's."""

from __future__ import annotations

import io

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.report.map_pictures import map_sections, slices_to_show
from bonequant.volume import Volume
from matplotlib.image import imread

HOT = (20.0, 16.0, 24.0)  # left, posterior and towards the head


def image_of(direction: tuple[float, ...]) -> sitk.Image:
    image = sitk.Image(41, 41, 41, sitk.sitkFloat32)
    image.SetSpacing((2, 2, 2))
    image.SetDirection(direction)
    image.SetOrigin([-c for c in image.TransformIndexToPhysicalPoint((20, 20, 20))])  # (0, 0, 0) is in the middle
    return image


def coloured(png: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where the panel shows a colour, and the rectangle (top, bottom, left, right) of the grey panel itself."""
    pixels = imread(io.BytesIO(png))[..., :3]
    panel = np.abs(pixels - 0.5).max(axis=-1) < 0.02  # the anatomy is a constant in the middle of its window
    rows, columns = np.flatnonzero(panel.sum(axis=1) > 100), np.flatnonzero(panel.sum(axis=0) > 100)
    box = np.array([rows[0], rows[-1], columns[0], columns[-1]])
    inside = pixels[box[0] : box[1] + 1, box[2] : box[3] + 1]
    return np.argwhere(np.ptp(inside, axis=-1) > 0.3), box


@pytest.mark.parametrize(
    ("direction", "towards_bottom"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), True),  # axial: posterior is down, left is right
        ((-1, 0, 0, 0, -1, 0, 0, 0, 1), True),  # prone, both axes reversed
        ((0, 0, -1, 1, 0, 0, 0, -1, 0), False),  # sagittal: head is up, posterior right
        ((0, 0, 1, 0, -1, 0, 1, 0, 0), False),  # sagittal with columns that run to the head
        ((1, 0, 0, 0, 0, 1, 0, -1, 0), False),  # coronal: head is up, left is right
    ],
)
def test_a_hot_voxel_lies_where_the_patient_has_it(direction: tuple[float, ...], towards_bottom: bool) -> None:
    grid = image_of(direction)
    grey = np.full((41, 41, 41), 100.0)
    grey[0], grey[-1] = 0.0, 200.0  # other slices set the window, so that the shown one is mid-grey
    anatomy = Volume(grid, "MR").with_array(grey)
    values = np.full(grey.shape, np.nan)
    x, y, z = grid.TransformPhysicalPointToIndex(HOT)
    values[z, y - 1 : y + 2, x - 1 : x + 2] = 1.0
    png = map_sections(anatomy, anatomy.with_array(values, unit="1/min", name="ktrans"), window=(0, 2), whole=True)
    found, box = coloured(png)
    height, width = box[1] - box[0] + 1, box[3] - box[2] + 1
    row, column = found.mean(axis=0)
    assert len(found) == pytest.approx(9 / 41**2 * height * width, rel=0.15)  # the other voxels, NaN, stay grey
    assert (row > height / 2) == towards_bottom
    assert column > width / 2


def test_slices_are_those_that_have_something_to_show() -> None:
    mask = np.zeros((10, 4, 4), bool)
    mask[2:9, 0, 0] = True
    mask[4] = True
    assert slices_to_show([mask], 1) == [4]
    assert slices_to_show([mask], 9) == [2, 3, 4, 5, 6, 7, 8]
    small = np.zeros_like(mask)
    small[7, 1, 1] = True
    assert slices_to_show([mask, small], 2) == [4, 7]  # a small region is not crowded out by a large one
    assert slices_to_show([np.zeros((10, 4, 4), bool)], 3) == [5]


def test_equal_inputs_make_equal_pictures_and_an_outline_shows() -> None:
    image = image_of((1, 0, 0, 0, 1, 0, 0, 0, 1))
    volume = Volume(image, "MR", name="map")
    region = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    region.CopyInformation(image)
    region[10:20, 10:20, 20] = 1
    first, second = (map_sections(volume, volume, window=(0, 1), outlines={"lesion": region}) for _ in range(2))
    assert first == second
    assert first != map_sections(volume, volume, window=(0, 1), slices=[20])
