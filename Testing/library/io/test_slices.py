"""Classic series: order from positions, and a clear error for every stack that is no regular grid."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import AmbiguousInputError, GeometryError, InputError
from scipy.spatial.transform import Rotation

RNG = np.random.default_rng(11)
STORED = RNG.integers(0, 3000, (6, 5, 4)).astype(np.uint16)


def shift(amounts):
    """Move slice k along z by ``amounts[k]`` mm."""

    def change(k, dataset):
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + amounts.get(k, 0.0)]

    return change


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0, 180), (180, 0, 0), (10, 25, -40)])
def test_order_is_along_the_normal_and_gdcm_agrees(write_slices, turn):
    orientation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()[:, :2].T.ravel()
    folder = write_slices(STORED, orientation=tuple(orientation))
    volume = io.load(folder)
    assert (volume.modality, volume.unit, volume.array.dtype) == ("CT", "HU", np.int16)
    assert np.array_equal(volume.array, STORED.astype(int) - 1024)
    series = sitk.ImageSeriesReader()
    series.SetFileNames(series.GetGDCMSeriesFileNames(str(folder)))
    gdcm = series.Execute()
    # Positions are stored with 6 decimals; over 15 mm that bounds spacing and direction to 1e-6.
    assert volume.geometry.spacing == pytest.approx(gdcm.GetSpacing(), abs=1e-5)
    assert volume.geometry.origin == pytest.approx(gdcm.GetOrigin(), abs=1e-5)
    assert volume.geometry.direction == pytest.approx(gdcm.GetDirection(), abs=1e-5)
    assert np.array_equal(volume.array, sitk.GetArrayFromImage(gdcm))


def test_missing_slices_are_named_and_even_spacing_can_be_forced(write_slices):
    folder = write_slices(STORED, each=lambda k, _: k not in (2, 3))
    with pytest.raises(GeometryError, match=r"2 slices are missing, at 106.00, 109.00 mm.*spacing_between_slices_mm"):
        io.load(folder)
    forced = io.load(folder, spacing_between_slices_mm=3.0)
    assert forced.geometry.size[2] == 4
    assert any("as the caller said" in warning for warning in forced.warnings)
    assert forced.acquisition.typed == ("spacing_between_slices_mm",)


def test_uneven_slices_are_named(write_slices):
    with pytest.raises(GeometryError, match=r"unevenly spaced, gaps of 2.2 to 3.8 mm.*106.00 to 109.80"):
        io.load(write_slices(STORED, each=shift({3: 0.8})))


def test_rounded_positions_are_even_enough(write_slices):
    """0.05 mm is what rounding to one decimal can do; the grid is that of the ends."""
    assert io.load(write_slices(STORED, each=shift({2: 0.05, 3: -0.05}))).geometry.spacing[2] == pytest.approx(3.0)
    with pytest.raises(GeometryError):
        io.load(write_slices(STORED, folder="off", each=shift({2: 0.15})))


def test_repeated_positions_look_dynamic(write_slices):
    twice = write_slices(np.concatenate([STORED, STORED]), each=lambda k, d: shift({k: -18.0 * (k >= 6)})(k, d))
    with pytest.raises(GeometryError, match="looks dynamic: 2 phases x 6 slices"):
        io.load(twice)
    (found,) = io.scan(twice)
    assert (found.n_slices, found.n_phases) == (6, 2)


def test_one_repeated_position_is_named(write_slices):
    with pytest.raises(GeometryError, match=r"6 slices lie at 5 positions; duplicated: 106.00"):
        io.load(write_slices(STORED, each=shift({3: -3.0})))


def test_a_copied_file_counts_once_and_is_reported(write_slices):
    folder = write_slices(STORED)
    (folder / "copy of IM0001").write_bytes((folder / "IM0001").read_bytes())
    volume = io.load(folder)
    assert np.array_equal(volume.array, STORED.astype(int) - 1024)
    assert any("1 files are copies" in warning for warning in volume.warnings)


def test_tilted_gantry_is_refused(write_slices):
    def tilt(k, dataset):
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y + 3.0 * k * np.tan(np.radians(12)), z]

    with pytest.raises(GeometryError, match=r"sheared.*12.0 degrees"):
        io.load(write_slices(STORED, each=tilt))


def test_missing_position_can_be_given(write_slices):
    def forget(_, dataset):
        del dataset.ImagePositionPatient

    folder = write_slices(STORED, each=forget)
    with pytest.raises(GeometryError, match=r"6 of 6 slices have no Image Position .*image_position_patient"):
        io.load(folder)
    volume = io.load(folder, image_position_patient=(1, 2, 3), spacing_between_slices_mm=3)
    assert volume.geometry.origin == (1, 2, 3)
    assert np.array_equal(volume.array, STORED.astype(int) - 1024)  # by instance number, as the warning says


def test_missing_orientation_names_the_keyword(write_slices):
    def forget(_, dataset):
        del dataset.ImageOrientationPatient

    folder = write_slices(STORED, each=forget)
    with pytest.raises(GeometryError, match=r"\(0020,0037\).*image_orientation_patient"):
        io.load(folder)
    assert io.load(folder, image_orientation_patient=(1, 0, 0, 0, 1, 0)).geometry.size == (4, 5, 6)


def test_truncated_pixels_and_truncated_header(write_slices):
    folder = write_slices(STORED)
    path = folder / "IM0003"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(InputError, match=r"IM0003 is truncated: 40 bytes of pixels are due .*, 30 are there"):
        io.load(folder)
    path.write_bytes(whole[:400])
    with pytest.raises(InputError, match=r"truncated or damaged \(IM0003"):
        io.load(folder)


def test_folders_without_images(tmp_path, write_slices):
    with pytest.raises(InputError, match="empty folder"):
        (tmp_path / "empty").mkdir()
        io.load(tmp_path / "empty")
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match="without any DICOM"):
        io.load(tmp_path / "empty")
    with pytest.raises(InputError, match="does not exist"):
        io.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="neither DICOM nor"):
        io.load(tmp_path / "empty" / "notes.txt")


def test_colour_and_pixel_free_objects(write_slices, tmp_path):
    def colour(_, dataset):
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"

    with pytest.raises(InputError, match="colour pictures"):
        io.load(write_slices(STORED, each=colour))

    def bare(_, dataset):
        del dataset.PixelData

    with pytest.raises(InputError, match="no pixel data"):
        io.load(write_slices(STORED, folder="bare", each=bare))


def test_mixed_folder_lists_candidates_and_any_name_selects(write_slices, tmp_path):
    write_slices(STORED, folder="low dose")
    folder = write_slices(STORED[:3], folder="diagnostic", SeriesNumber=9).parent
    (folder / "DICOMDIR").write_bytes(b"\0" * 300)
    (folder / "readme.txt").write_text("hello")
    with pytest.raises(AmbiguousInputError, match=r'2 image series.*"low dose", series 7, 6 slices.*"diagnostic"'):
        io.load(folder)
    infos = {info.description: info for info in io.scan(folder)}
    uid = infos["diagnostic"].series_uid
    for name in (9, "9", "diagnostic", uid, uid[-6:]):
        assert io.load(folder, series=name).geometry.size == (4, 5, 3)
    with pytest.raises(InputError, match="no image series 'other'"):
        io.load(folder, series="other")


def test_localizer_within_a_series_is_set_apart(write_slices):
    def scout(k, dataset):
        if k == 0:
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    volume = io.load(write_slices(STORED, each=scout))
    assert np.array_equal(volume.array, STORED[1:].astype(int) - 1024)
    assert "localizer" in volume.warnings[0]


def test_image_types_that_repeat_positions_are_parts(write_slices):
    def dixon(k, dataset):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "WATER" if k < 6 else "FAT"]
        shift({k: -18.0 * (k >= 6)})(k, dataset)

    folder = write_slices(
        np.concatenate([STORED, STORED]), modality="MR", sop_class="1.2.840.10008.5.1.4.1.1.4", each=dixon
    )
    infos = io.scan(folder)
    assert [info.n_slices for info in infos] == [6, 6]
    assert np.array_equal(io.load(folder, series=next(i.part for i in infos if "FAT" in i.part)).array, STORED)


def test_unknown_keyword_suggests_the_right_one(write_slices):
    with pytest.raises(InputError, match="patient_weight_kg"):
        io.load(write_slices(STORED), patient_wieght_kg=70)
