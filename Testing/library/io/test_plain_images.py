"""NRRD, NIfTI and MetaImage: geometry, facts that make the round trip, NaN, 4-D, and files that are whole or absent."""

from __future__ import annotations

import os
from datetime import datetime

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GEOMETRY = Geometry((4, 5, 6), (1.5, 2.0, 3.0), (-10.0, 20.0, 30.5), (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
ARRAY = np.random.default_rng(5).normal(size=(6, 5, 4)).astype(np.float32)
FACTS = Acquisition(
    patient_id="P1",
    patient_name="Doe^Jane",
    patient_weight_kg=70.5,
    injection_time=datetime(2024, 3, 5, 9, 30, 0, 5),
    decay_correction="ADMIN",
    corrections=("ATTN", "DECY"),
    protocol={"energy_windows_kev": ((126.0, 154.0),), "kernel": "B\\70 ü; \"x\""},
    typed=("patient_weight_kg",),
)  # fmt: skip
VOLUME = Volume(image_from_array(ARRAY, GEOMETRY), "NM", "Bq/mL", FACTS, name="NM bone")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz", ".nii"])
def test_round_trip(tmp_path, suffix):
    path = io.write_volume(VOLUME, tmp_path / f"spect{suffix}")
    back = io.load(path)
    assert np.array_equal(back.array, ARRAY)
    # NIfTI stores its geometry in single precision.
    assert back.geometry.corners() == pytest.approx(GEOMETRY.corners(), abs=1e-4 if "nii" in suffix else 1e-9)
    assert os.listdir(tmp_path) == [path.name]
    if "nii" in suffix:
        assert (back.modality, back.unit, back.name) == ("OT", "", "spect")
        typed = io.load(path, modality="NM", unit="Bq/mL")
        assert (typed.modality, typed.unit, typed.acquisition.typed) == ("NM", "Bq/mL", ("modality", "unit"))
    else:
        assert (back.modality, back.unit, back.name) == ("NM", "Bq/mL", "NM bone")
        assert back.acquisition == FACTS.__class__(**{**vars(FACTS), "patient_id": None, "patient_name": None})
        assert b"Doe" not in path.read_bytes()


def test_geometry_can_be_given(tmp_path):
    path = io.write_volume(VOLUME, tmp_path / "a.nrrd")
    volume = io.load(path, spacing_between_slices_mm=5, pixel_spacing_mm=(7, 8), image_position_patient=(1, 2, 3),
                     image_orientation_patient=(1, 0, 0, 0, 0, -1))  # fmt: skip
    assert volume.geometry.spacing == (8, 7, 5)
    assert volume.geometry.origin == (1, 2, 3)
    assert volume.geometry.direction == (1, 0, 0, 0, 0, 1, 0, -1, 0)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])  # ITK reads NaN of NIfTI as zeros
def test_nan_is_counted_and_can_be_replaced(tmp_path, suffix):
    array = ARRAY.copy()
    array[0, 0, :3] = np.nan, np.inf, -np.inf
    path = io.write_volume(VOLUME.with_array(array), tmp_path / f"nan{suffix}")
    with pytest.raises(InputError, match=r"3 voxels that are NaN or infinite .*replace_nan"):
        io.load(path)
    assert io.load(path, replace_nan=0).array[0, 0].tolist() == [0, 0, 0, ARRAY[0, 0, 3]]


def test_four_dimensions_vectors_and_single_slices(tmp_path):
    four = sitk.GetImageFromArray(np.zeros((2, 3, 4, 5), np.float32), isVector=False)
    sitk.WriteImage(four, str(tmp_path / "four.nii.gz"))
    with pytest.raises(GeometryError, match=r"4 dimensions .*dynamic"):
        io.load(tmp_path / "four.nii.gz")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), np.uint8), isVector=True), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(GeometryError, match="3 values per voxel"):
        io.load(tmp_path / "rgb.nrrd")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5), np.uint8)), str(tmp_path / "flat.mha"))
    with pytest.raises(GeometryError, match=r"how far its slices lie apart.*spacing_between_slices_mm="):
        io.load(tmp_path / "flat.mha")
    flat = io.load(tmp_path / "flat.mha", spacing_between_slices_mm=4.5).geometry
    assert (flat.size, flat.spacing) == ((5, 4, 1), (1, 1, 4.5))


NRRD = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 3 4 5\nencoding: raw\n{}\n"
META = (
    "ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementType = MET_UCHAR\nBinaryData = True\n"
    "{}ElementDataFile = LOCAL\n"
)
LPS_AXES = "space: LPS\nspace directions: (2,0,0) (0,2,0) (0,0,3)\n"
GIVEN = {
    "pixel_spacing_mm": (2, 2),
    "spacing_between_slices_mm": 3,
    "image_orientation_patient": (1, 0, 0, 0, 0, -1),
    "image_position_patient": (1, 2, 3),
}


@pytest.mark.parametrize(
    ("suffix", "header", "lacking"),
    [
        (".nrrd", NRRD.format(""), list(GIVEN)),
        (".nrrd", NRRD.format("spacings: 2 2 3\n"), list(GIVEN)[2:]),
        (".nrrd", NRRD.format(LPS_AXES), list(GIVEN)[3:]),
        (".nrrd", NRRD.format(LPS_AXES + "space origin: (0,0,0)\n"), []),
        (".mha", META.format(""), list(GIVEN)),
        (".mha", META.format("ElementSpacing = 2 2 3\n"), list(GIVEN)[2:]),
        (".mha", META.format("ElementSpacing = 2 2 3\nOffset = 1 2 3\n"), list(GIVEN)[2:3]),
        (".mha", META.format("ElementSpacing = 2 2 3\nOffset = 1 2 3\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"), []),
    ],
)
def test_a_header_that_is_silent_about_the_grid_is_refused(tmp_path, suffix, header, lacking):
    """ITK fills in 1 mm, identity and origin 0: a volume in mL measured on that would be off without a word."""
    path = tmp_path / f"image{suffix}"
    path.write_bytes(header.encode() + bytes(range(60)))
    if not lacking:
        assert io.load(path).geometry.spacing == (2, 2, 3)
        return
    for read in (io.load, io.load_masks):
        with pytest.raises(GeometryError, match=f"does not say .*{'=, '.join(lacking)}= given"):
            read(path)
    assert io.info(path)[0].problems
    volume = io.load(path, **{name: GIVEN[name] for name in lacking})
    assert volume.geometry.spacing == (2, 2, 3)
    if "image_orientation_patient" in lacking:
        assert volume.geometry.direction == (1, 0, 0, 0, 0, 1, 0, -1, 0)
    with pytest.raises(GeometryError, match="two perpendicular unit vectors"):
        io.load(path, **{**GIVEN, "image_orientation_patient": (1, 0, 0, 1, 0, 0)})


def test_a_nifti_without_form_codes_is_refused(tmp_path):
    """Both codes 0 mean that nobody knows which side is left (NIfTI-1, "method 1")."""
    path = io.write_volume(VOLUME, tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[252:256] = bytes(4)  # qform_code, sform_code
    path.write_bytes(content)
    with pytest.raises(GeometryError, match=r"qform_code and sform_code are 0.*image_orientation_patient="):
        io.load(path)
    known = io.load(path, image_orientation_patient=(1, 0, 0, 0, 1, 0), image_position_patient=(1, 2, 3))
    assert (known.geometry.spacing, known.geometry.origin) == (VOLUME.geometry.spacing, (1, 2, 3))


def test_units_are_given_by_any_of_their_names(tmp_path):
    path = io.write_volume(VOLUME, tmp_path / "a.nii.gz")
    assert io.load(path, unit="bqml").unit == "Bq/mL"
    assert io.load(path, unit="SUV").unit == "SUVbw"
    with pytest.raises(InputError, match=r"voxels would have to be multiplied by 1000; store them in Bq/mL"):
        io.load(path, unit="kBq/mL")


def test_damaged_files(tmp_path):
    for suffix in (".nrrd", ".nii.gz", ".mha"):
        path = io.write_volume(VOLUME, tmp_path / f"cut{suffix}")
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(InputError, match="cut"):
            io.load(path)


def test_nothing_half_written(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("disk full")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(InputError, match="disk full"):
        io.write_volume(VOLUME, tmp_path / "a.nrrd")
    assert os.listdir(tmp_path) == []
    with pytest.raises(InputError, match="does not exist"):
        io.write_volume(VOLUME, tmp_path / "nowhere" / "a.nrrd")
    with pytest.raises(InputError, match="written as one of"):
        io.write_volume(VOLUME, tmp_path / "a.png")


def test_a_folder_with_one_image_file_is_that_image(tmp_path):
    io.write_volume(VOLUME, tmp_path / "a.nrrd")
    assert io.load(tmp_path).unit == "Bq/mL"


def test_nan_of_a_dynamic_nifti_stays_where_it_was(tmp_path):
    frames = np.random.default_rng(1).random((3, 4, 5, 6)).astype(np.float64)
    frames[1, 2, 3, 4] = np.nan
    image = sitk.JoinSeries([sitk.GetImageFromArray(frame) for frame in frames])
    sitk.WriteImage(image, str(tmp_path / "dynamic.nii.gz"))
    series = io.load_dynamic(tmp_path / "dynamic.nii.gz", times_s=[0.0, 1.0, 2.0])
    assert np.argwhere(np.isnan(series.frames)).tolist() == [[1, 2, 3, 4]]
    assert any("NaN" in text for text in series.warnings)
