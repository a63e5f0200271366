"""Images that cannot be registered end in one clear line."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import RegistrationError
from bonequant.registration import RegistrationSettings, register, register_via
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GRID = Geometry((40, 40, 40), (6.0, 6.0, 6.0), (-117.0, -117.0, -117.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def _ball(modality: str, inside: float, outside: float, grid: Geometry = GRID, frame: str | None = None) -> Volume:
    z, y, x = np.indices(grid.shape)
    middle = (np.array(grid.shape) - 1) / 2
    r = np.sqrt((z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2)
    array = np.where(r < 15, inside, outside) + np.where((r < 6) & (x > middle[2]), inside, 0.0)
    image = image_from_array(array.astype(np.float32), grid)
    return Volume(image, modality, "HU" if modality == "CT" else "counts", Acquisition(frame_of_reference_uid=frame))


CT, SPECT = _ball("CT", 60.0, -1000.0), _ball("NM", 100.0, 0.0)


def test_the_phantom_itself_registers() -> None:
    assert register(SPECT, CT).quality.level == "ok"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_voxels_that_are_no_numbers(value: float) -> None:
    array = SPECT.array.copy()
    array[3, 4, 5] = value
    with pytest.raises(RegistrationError, match="NaN or infinite"):
        register(SPECT.with_array(array), CT)


def test_constant_image() -> None:
    with pytest.raises(RegistrationError, match="everywhere"):
        register(SPECT.with_array(np.zeros(GRID.shape)), CT)


def test_image_of_air_alone() -> None:
    air = np.random.default_rng(0).normal(-1000.0, 10.0, GRID.shape)
    with pytest.raises(RegistrationError, match="no body"):
        register(SPECT, CT.with_array(air))


def test_too_few_slices() -> None:
    with pytest.raises(RegistrationError, match="too thin"):
        register(SPECT, CT.replace(image=CT.image[:, :, 10:13]))


def test_no_overlap_in_one_frame_of_reference() -> None:
    far = sitk.Image(SPECT.image)
    far.SetOrigin((900.0, 0.0, 0.0))
    with pytest.raises(RegistrationError, match="start='centroid'"):
        register(SPECT.replace(image=far), CT)
    found = register(SPECT.replace(image=far), CT, RegistrationSettings(start="centroid"))
    # The ball's middle is the SPECT's middle; half a voxel is what two coarse masks leave.
    assert found.transform.TransformPoint((0.0, 0.0, 0.0)) == pytest.approx((1017.0, 117.0, 117.0), abs=3.0)


def test_window_upside_down() -> None:
    with pytest.raises(RegistrationError, match="hu_window"):
        register(SPECT, CT, RegistrationSettings(hu_window=(600.0, 0.0)))


def test_a_companion_of_another_frame_needs_its_transform() -> None:
    other = _ball("CT", 60.0, -1000.0, frame="other")
    with pytest.raises(RegistrationError, match="companion_to_moving"):
        register_via(_ball("NM", 100.0, 0.0, frame="one"), other, CT)
