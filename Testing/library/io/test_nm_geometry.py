"""NM reconstructions: P_k = IPP + k * SpacingBetweenSlices * (row x column), for both signs and any pose."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import AmbiguousInputError, GeometryError, InputError
from pydicom.sequence import Sequence
from scipy.spatial.transform import Rotation

RNG = np.random.default_rng(7)
FRAMES = RNG.integers(0, 900, (5, 4, 6)).astype(np.uint16)
POSES = {
    "supine head first": (1, 0, 0, 0, 1, 0),
    "prone": (-1, 0, 0, 0, -1, 0),
    "feet first": (-1, 0, 0, 0, 1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": tuple(Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix()[:, :2].T.ravel()),
}


def value_at(image: sitk.Image, point: np.ndarray) -> float:
    index = image.TransformPhysicalPointToIndex(point.tolist())
    back = np.array(image.TransformIndexToPhysicalPoint(index))
    assert np.abs(back - point).max() < 1e-4  # the point is a voxel centre; cosines are stored with 16 characters
    return image[index]


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("step", [3.0, -3.0])
def test_every_voxel_lies_where_the_standard_puts_it(write_nm, pose, step):
    orientation = np.array(POSES[pose], float)
    path = write_nm(FRAMES, orientation=[f"{part:.14f}"[:16] for part in orientation], step=step)
    volume = io.load(path)
    assert (volume.modality, volume.unit) == ("NM", "counts")
    direction = np.array(volume.image.GetDirection()).reshape(3, 3)
    assert np.linalg.det(direction) == pytest.approx(1, abs=1e-9)
    row, column = orientation[:3], orientation[3:]
    normal = np.cross(row, column)
    for k in range(5):
        for j, i in ((0, 0), (3, 5), (2, 1)):
            # PixelSpacing is (between rows, between columns) = (4, 5).
            point = np.array([-100.0, -80.0, 50.0]) + i * 5.0 * row + j * 4.0 * column + k * step * normal
            assert value_at(volume.image, point) == FRAMES[k, j, i]


def test_gdcm_agrees_where_the_spacing_is_positive(write_nm):
    path = write_nm(FRAMES, orientation=POSES["feet first"])
    volume, gdcm = io.load(path), sitk.ReadImage(str(path))
    assert volume.geometry.spacing == pytest.approx(gdcm.GetSpacing())
    assert volume.geometry.origin == pytest.approx(gdcm.GetOrigin())
    assert volume.geometry.direction == pytest.approx(gdcm.GetDirection())
    assert np.array_equal(volume.array, sitk.GetArrayFromImage(gdcm))


def test_slice_vector_orders_the_frames(write_nm):
    order = np.array([3, 1, 5, 2, 4])
    path = write_nm(FRAMES[order - 1], SliceVector=order.tolist())
    assert np.array_equal(io.load(path).array, FRAMES)


def test_slice_vector_with_a_hole_is_refused(write_nm):
    with pytest.raises(GeometryError, match="Slice Vector"):
        io.load(write_nm(FRAMES, SliceVector=[1, 2, 3, 4, 6]))


def without(*names):
    def change(dataset):
        for name in names:
            del dataset[name]

    return change


def test_absent_spacing_is_an_error_that_names_tag_and_keyword(write_nm):
    path = write_nm(FRAMES, step=None)
    with pytest.raises(GeometryError, match=r"\(0018,0088\).*9 mm.*spacing_between_slices_mm"):
        io.load(path)
    assert io.load(path, spacing_between_slices_mm=4.42).geometry.spacing[2] == 4.42
    assert io.load(path, spacing_between_slices_mm=-4.42).geometry.origin[2] == pytest.approx(50 - 4 * 4.42)


def test_absent_detector_is_an_error_that_can_be_overridden(write_nm):
    path = write_nm(FRAMES, change=without("DetectorInformationSequence"))
    with pytest.raises(GeometryError, match=r"\(0054,0022\).*image_position_patient"):
        io.load(path)
    with pytest.raises(GeometryError, match="image_orientation_patient"):
        io.load(path, image_position_patient=(1, 2, 3))
    volume = io.load(path, image_position_patient=(1, 2, 3), image_orientation_patient=(1, 0, 0, 0, 1, 0))
    assert volume.geometry.origin == (1, 2, 3)
    assert volume.acquisition.typed == ("image_orientation_patient", "image_position_patient")


def test_zero_spacing_and_absent_pixel_spacing_are_errors(write_nm):
    with pytest.raises(GeometryError, match="is 0"):
        io.load(write_nm(FRAMES, step=0.0))
    with pytest.raises(GeometryError, match="pixel_spacing_mm"):
        io.load(write_nm(FRAMES, change=without("PixelSpacing")))


@pytest.mark.parametrize(
    ("image_type", "said"),
    [
        ("STATIC", "planar .static. image"),
        ("WHOLE BODY", "whole-body"),
        ("TOMO", "projections"),
        ("GATED TOMO", "gated tomographic projections"),
        ("DYNAMIC", "planar dynamic"),
    ],
)
def test_what_is_no_reconstruction_is_refused_by_name(write_nm, image_type, said):
    with pytest.raises(InputError, match=said):
        io.load(write_nm(FRAMES, image_type=image_type))
    with pytest.raises(InputError, match=said):  # one frame is judged by the same rule
        io.load(write_nm(FRAMES[:1], name="single.dcm", image_type=image_type))


def gated(dataset):
    """3 time slots x 5 slices; the pointer's last tag, the slice, varies fastest."""
    dataset.FrameIncrementPointer = [0x00540060, 0x00540070, 0x00540080]
    dataset.RRIntervalVector = [1] * 15
    dataset.TimeSlotVector = np.repeat([1, 2, 3], 5).tolist()
    dataset.SliceVector = np.tile(np.arange(1, 6), 3).tolist()
    dataset.NumberOfRRIntervals, dataset.NumberOfTimeSlots, dataset.NumberOfSlices = 1, 3, 5


def without_vectors(dataset):
    gated(dataset)
    for name in ("RRIntervalVector", "TimeSlotVector", "SliceVector"):
        del dataset[name]


@pytest.mark.parametrize("change", [gated, without_vectors])
def test_gates_must_be_chosen(write_nm, change):
    gates = RNG.integers(0, 900, (3, 5, 4, 6)).astype(np.uint16)
    path = write_nm(gates.reshape(15, 4, 6), image_type="RECON GATED TOMO", step=-3.0, change=change)
    with pytest.raises(AmbiguousInputError, match=r'3 gates of 5 slices.*gate=0 .. gate=2.*"sum"'):
        io.load(path)
    assert np.array_equal(io.load(path, gate=1).array, gates[1, ::-1])
    assert np.array_equal(io.load(path, gate="sum").array, gates.sum(axis=0)[::-1])
    with pytest.raises(AmbiguousInputError):
        io.load(path, gate=3)
    assert any("one gate of 3" in warning for warning in io.load(path, gate=1).warnings)


def test_the_sum_of_gates_does_not_wrap_around(write_nm):
    # 3 x 40000 does not fit into the 16 bits in which each gate is stored.
    gates = np.full((15, 4, 6), 40000, np.uint16)
    volume = io.load(write_nm(gates, image_type="RECON GATED TOMO", change=gated), gate="sum")
    assert np.all(volume.array == 120000)


def test_energy_windows_must_be_chosen(write_nm):
    both = RNG.integers(0, 900, (10, 4, 6)).astype(np.uint16)

    def windows(dataset):
        dataset.FrameIncrementPointer = [0x00540010, 0x00540080]
        dataset.EnergyWindowVector = [1] * 5 + [2] * 5
        dataset.SliceVector = [1, 2, 3, 4, 5] * 2
        dataset.NumberOfSlices, dataset.NumberOfEnergyWindows = 5, 2
        limits = pydicom.Dataset()
        limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = 126, 154
        window = pydicom.Dataset()
        window.EnergyWindowName, window.EnergyWindowRangeSequence = "Tc99m", Sequence([limits])
        dataset.EnergyWindowInformationSequence = Sequence([window, pydicom.Dataset()])

    path = write_nm(both, change=windows)
    with pytest.raises(AmbiguousInputError, match="window=0: Tc99m 126-154 keV; window=1: energy window 2"):
        io.load(path)
    assert np.array_equal(io.load(path, window=1).array, both[5:])


def test_reconstruction_over_time_is_refused(write_nm):
    def phases(dataset):
        dataset.FrameIncrementPointer = [0x00540100, 0x00540080]
        dataset.TimeSliceVector = np.repeat([1, 2], 5).tolist()
        dataset.SliceVector = [1, 2, 3, 4, 5] * 2

    with pytest.raises(GeometryError, match="dynamic"):
        io.load(write_nm(np.concatenate([FRAMES, FRAMES]), change=phases))


def test_frames_that_fit_no_count_are_refused(write_nm):
    def contradict(dataset):
        without_vectors(dataset)
        dataset.NumberOfSlices = 4

    with pytest.raises(InputError, match="do not fit"):
        io.load(write_nm(np.concatenate([FRAMES] * 3), image_type="RECON GATED TOMO", change=contradict))


def test_unknown_image_type_asks(write_nm):
    def forget(dataset):
        dataset.ImageType = ["DERIVED", "PRIMARY"]
        del dataset.SliceVector

    path = write_nm(FRAMES, change=forget)
    with pytest.raises(InputError, match='image_type="RECON TOMO"'):
        io.load(path)
    assert np.array_equal(io.load(path, image_type="RECON TOMO").array, FRAMES)
