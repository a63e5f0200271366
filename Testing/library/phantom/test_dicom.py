"""The DICOM that the phantom writes means the same to independent readers: SimpleITK/GDCM, pydicom, and our own."""

from __future__ import annotations

import hashlib
import warnings
from datetime import datetime

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError
from bonequant.io import load
from bonequant.phantom import write_ct_series, write_nm, write_pt_series
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

OBLIQUE = tuple(np.array(sitk.Euler3DTransform((0, 0, 0), 0.1, -0.2, 0.3).GetMatrix()).tolist())
GRIDS = [
    Geometry((9, 7, 5), (2.0, 2.5, 3.0), (-11.5, 4.25, -100.125), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)),
    Geometry((9, 7, 5), (4.42, 4.42, 4.42), (-11.5, 4.25, -100.125), OBLIQUE),
]
FACTS = Acquisition(
    patient_id="BQ1",
    patient_weight_kg=71.5,
    patient_height_m=1.68,
    patient_sex="F",
    study_datetime=datetime(2024, 3, 12, 0, 5),
    acquisition_start=datetime(2024, 3, 12, 0, 10),
    frame_duration_s=20.0,
    acquisition_duration_s=1200.0,
    radionuclide="99mTc",
    half_life_s=21625.2,
    radiopharmaceutical="MDP",
    injected_activity_bq=712.5e6,
    injection_time=datetime(2024, 3, 11, 21, 10),
    decay_correction="START",
    corrections=("ATTN", "SCAT", "DECY"),
    number_of_projections=60,
    number_of_detectors=2,
)


def volume(grid, unit, scale=1.0):
    values = np.random.default_rng(1).integers(0, 2000, grid.shape).astype(np.float32) * scale
    modality = {"HU": "CT", "counts": "NM", "Bq/mL": "PT"}[unit]
    return Volume(image_from_array(values, grid), modality=modality, unit=unit, acquisition=FACTS)


def physical(image):
    """Voxel values by physical position, in an order that does not depend on the reader's index order."""
    geometry = Geometry.of(image)
    z, y, x = np.indices(geometry.shape)
    index = np.stack([x, y, z, np.ones_like(x)], axis=-1).reshape(-1, 4)
    points = (index @ geometry.index_to_physical.T)[:, :3]
    order = np.lexsort(np.round(points, 3).T)
    return points[order], sitk.GetArrayFromImage(image).ravel()[order]


def assert_same_in_space(found, expected, tolerance=1e-4):
    for a, b in zip(physical(found), physical(expected), strict=True):
        assert a == pytest.approx(b, abs=tolerance)


@pytest.mark.parametrize("grid", GRIDS)
def test_gdcm_reads_the_ct_where_it_is(tmp_path, grid):
    ct = volume(grid, "HU")
    files = write_ct_series(ct, tmp_path)
    read = sitk.ReadImage([str(file) for file in files])
    assert_same_in_space(read, ct.image)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))  # GDCM's own sorting by position
    assert [name.rsplit("/", 1)[-1] for name in names] == [file.name for file in files]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("negative", [False, True])
def test_gdcm_reads_the_nm_where_it_is(tmp_path, grid, negative):
    """Either sign of SpacingBetweenSlices; GDCM turns a negative one into a left-handed grid of the same points."""
    spect = volume(grid, "counts")
    file = write_nm(spect, tmp_path / "recon.dcm", negative_spacing=negative)
    assert_same_in_space(sitk.ReadImage(str(file)), spect.image)


@pytest.mark.parametrize("negative", [False, True])
def test_the_tags_give_every_slice_its_place(tmp_path, negative):
    """PS3.3 C.8.4.15, by hand: P_k = ImagePositionPatient + k SpacingBetweenSlices (row x column)."""
    grid = GRIDS[1]
    spect = volume(grid, "counts")
    ds = pydicom.dcmread(write_nm(spect, tmp_path / "recon.dcm", negative_spacing=negative))
    detector = ds.DetectorInformationSequence[0]
    first, cosines = np.array(detector.ImagePositionPatient, float), np.array(detector.ImageOrientationPatient, float)
    normal = np.cross(cosines[:3], cosines[3:])
    assert (ds.SpacingBetweenSlices < 0) == negative
    for k in range(ds.NumberOfFrames):
        index = grid.physical_to_index @ [*(first + k * float(ds.SpacingBetweenSlices) * normal), 1.0]
        row = 4 - k if negative else k
        assert index[:3] == pytest.approx([0, 0, row], abs=1e-6)
        assert np.array_equal(ds.pixel_array[k], spect.array[row])
    assert ds.FrameIncrementPointer == 0x00540080
    assert list(ds.SliceVector) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("negative", [False, True])
def test_our_reader_gets_back_all_that_was_written(tmp_path, negative):
    spect = volume(GRIDS[1], "counts")
    back = load(write_nm(spect, tmp_path / "recon.dcm", negative_spacing=negative))
    assert (back.modality, back.unit) == ("NM", "counts")
    assert back.geometry.origin == pytest.approx(spect.geometry.origin, abs=1e-5)
    assert np.array_equal(back.array, spect.array)
    for fact in (
        "patient_weight_kg", "patient_height_m", "patient_sex", "injected_activity_bq", "injection_time",
        "acquisition_start", "half_life_s", "radionuclide", "decay_correction", "frame_duration_s",
        "acquisition_duration_s", "number_of_projections", "number_of_detectors", "corrections",
    ):  # fmt: skip
        assert getattr(back.acquisition, fact) == getattr(FACTS, fact), fact


def test_the_views_add_up_to_the_circle_and_to_the_duration(tmp_path):
    """Two heads share the circle and count at the same time: NumberOfFramesInRotation is that of one of them."""
    ds = pydicom.dcmread(write_nm(volume(GRIDS[0], "counts"), tmp_path / "recon.dcm"))
    rotation = ds.RotationInformationSequence[0]
    views = rotation.NumberOfFramesInRotation
    assert views * rotation.ActualFrameDuration / 1000 == ds.AcquisitionDuration == 1200
    assert views * rotation.AngularStep == rotation.ScanArc == 360 / ds.NumberOfDetectors


def test_fractional_counts_use_a_slope(tmp_path):
    """Filtered counts are no whole numbers: 16 bits of the maximum keep them to half a step."""
    spect = volume(GRIDS[0], "counts", scale=0.123)
    file = write_nm(spect, tmp_path / "recon.dcm")
    slope = float(pydicom.dcmread(file).RescaleSlope)
    assert np.abs(load(file).array - spect.array).max() <= 0.51 * slope
    assert slope == pytest.approx(spect.array.max() / 65535, rel=1e-6)


def test_real_world_mapping_gives_activity(tmp_path):
    spect = volume(GRIDS[0], "counts")
    back = load(write_nm(spect, tmp_path / "recon.dcm", bq_per_ml_per_count=12.5))
    assert back.unit == "Bq/mL"
    assert back.array == pytest.approx(spect.array * 12.5)


def test_spect_as_pet_object(tmp_path):
    spect = volume(GRIDS[1], "Bq/mL", scale=321.7)
    files = write_pt_series(spect, tmp_path)
    assert_same_in_space(
        sitk.ReadImage([str(file) for file in files]), spect.image, tolerance=float(spect.array.max()) / 1e5
    )
    back = load(tmp_path)
    assert (back.unit, back.acquisition.decay_correction) == ("Bq/mL", "START")
    assert back.acquisition.injected_activity_bq == 712.5e6
    assert back.acquisition.acquisition_start == FACTS.acquisition_start


def test_the_same_volume_gives_the_same_bytes(tmp_path):
    digests = [
        hashlib.sha256(write_nm(volume(GRIDS[0], "counts"), tmp_path / name).read_bytes()).hexdigest() for name in "ab"
    ]
    assert digests[0] == digests[1]


def test_every_attribute_is_valid_and_unique(tmp_path):
    """pydicom in its strict mode finds nothing to say, and no two instances share an identifier."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = [write_nm(volume(GRIDS[0], "counts"), tmp_path / "nm.dcm", bq_per_ml_per_count=2.0)]
        files += write_ct_series(volume(GRIDS[0], "HU"), tmp_path / "ct")
        files += write_pt_series(volume(GRIDS[0], "Bq/mL"), tmp_path / "pt")
        read = [pydicom.dcmread(file) for file in files]
        for ds in read:
            ds.to_json()  # walks every element and converts it
    assert len({ds.SOPInstanceUID for ds in read}) == len(read)
    assert len({ds.SeriesInstanceUID for ds in read}) == 3
    assert len({ds.FrameOfReferenceUID for ds in read}) == 1
    assert all(ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID for ds in read)


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds counts"):
        write_nm(volume(GRIDS[0], "Bq/mL"), tmp_path / "x.dcm")
    with pytest.raises(InputError, match="spans -1"):
        bad = volume(GRIDS[0], "counts")
        write_nm(bad.with_array(bad.array - 1.0 - bad.array.min()), tmp_path / "x.dcm")
    mirrored = Geometry((9, 7, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))
    with pytest.raises(GeometryError, match="right-handed"):
        write_ct_series(volume(mirrored, "HU"), tmp_path)
    assert not list(tmp_path.iterdir())
