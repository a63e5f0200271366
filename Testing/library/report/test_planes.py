"""Sections stand in patient space: right is left of the picture, head is up, whatever the grid's orientation."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.report.pictures import fused_sections
from bonequant.report.planes import centre_of, plane_through, section
from bonequant.volume import Volume

# One bright voxel at a known place: left, posterior and towards the head.
POINT = (30.0, 24.0, 40.0)


def marked(direction: tuple[float, ...]) -> sitk.Image:
    image = sitk.Image(61, 61, 61, sitk.sitkFloat32)
    image.SetSpacing((2, 2, 2))
    image.SetDirection(direction)
    centre = image.TransformIndexToPhysicalPoint((30, 30, 30))
    image.SetOrigin([-c for c in centre])  # the centre of the grid is (0, 0, 0)
    image[image.TransformPhysicalPointToIndex(POINT)] = 1.0
    return image


@pytest.mark.parametrize(
    "direction",
    [(1, 0, 0, 0, 1, 0, 0, 0, 1), (-1, 0, 0, 0, -1, 0, 0, 0, 1), (0, 1, 0, 0, 0, -1, -1, 0, 0)],
    ids=["axial", "prone", "sagittal"],
)
@pytest.mark.parametrize(
    ("orientation", "row_towards", "column_towards"),
    [("axial", "bottom", "right"), ("coronal", "top", "right"), ("sagittal", "top", "right")],
)
def test_left_posterior_and_head_are_where_they_belong(
    direction: tuple[float, ...], orientation: str, row_towards: str, column_towards: str
) -> None:
    image = marked(direction)
    assert centre_of(image) == pytest.approx(POINT)
    plane = plane_through(Volume(image).geometry, POINT, orientation, step_mm=1.0)  # type: ignore[arg-type]
    values = np.nan_to_num(section(image, plane))
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert values.max() > 0.5
    assert np.abs(plane.points[row, column] - POINT).max() <= 1.0
    assert (row > values.shape[0] / 2) == (row_towards == "bottom")
    assert (column > values.shape[1] / 2) == (column_towards == "right")


def test_equal_inputs_make_equal_pictures() -> None:
    image = Volume(marked((1, 0, 0, 0, 1, 0, 0, 0, 1)), modality="CT", unit="HU")
    first, second = (
        fused_sections(image, image, None, outlines={"spot": image.image}, centre_mm=POINT, upper=1.0) for _ in range(2)
    )
    assert first == second
    assert first.startswith(b"\x89PNG")
