"""Masks out as DICOM SEG and back by dcmqi and by our own reader: same voxels, same place (< 0.01 mm)."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from pathlib import Path

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError, MissingDependencyError
from bonequant.io.export import Segment, source_series, tracking_uid, write_dicom_seg
from bonequant.volume import image_from_array

_spec = importlib.util.spec_from_file_location("export_conftest", Path(__file__).with_name("conftest.py"))
helpers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(helpers)
OBLIQUE = helpers.OBLIQUE


def sources(tmp_path: Path) -> dict[str, Path]:
    return {
        "slices": helpers.write_slices(tmp_path / "slices"),
        "phases": helpers.write_slices(tmp_path / "phases", phases=3),
        "nm": helpers.write_nm(tmp_path / "nm.dcm"),
        "nm_without_frame": helpers.write_nm(tmp_path / "nm2.dcm", backwards=False, frame=False),
    }


@pytest.mark.parametrize("kind", ["slices", "phases", "nm", "nm_without_frame"])
def test_every_kind_of_series(kind, tmp_path, masks, dcmqi):
    source = source_series(sources(tmp_path)[kind])
    assert np.abs(source.geometry.corners() - OBLIQUE.corners()).max() < 1e-6
    path = tmp_path / "seg.dcm"
    written = write_dicom_seg(masks, path, source)
    assert written.segments == {"L01": 1, "L02": 2}
    own = io.load_masks(path)
    meta, folder = dcmqi("segimage2itkimage", path)
    labels = {item["SegmentLabel"]: n for n, (item,) in enumerate(meta["segmentAttributes"], 1)}
    for name, mask in masks.items():
        theirs = sitk.ReadImage(str(folder / f"{labels[name]}.nrrd")) > 0
        for found in (own[name], theirs):
            assert helpers.farthest_mm(found, mask) < 0.01
            assert np.array_equal(helpers.on_grid_of(found, mask), sitk.GetArrayViewFromImage(mask))


@pytest.mark.parametrize(("kind", "frames"), [("slices", False), ("nm", True)])
def test_each_frame_refers_to_the_slice_it_lies_on(kind, frames, tmp_path, masks):
    place = sources(tmp_path)[kind]
    write_dicom_seg(masks, tmp_path / "seg.dcm", source_series(place))
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    files = [pydicom.dcmread(path) for path in (place.iterdir() if place.is_dir() else [place])]
    by_uid = {file.SOPInstanceUID: file for file in files}
    for group in seg.PerFrameFunctionalGroupsSequence:
        (reference,) = group.DerivationImageSequence[0].SourceImageSequence
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        image = by_uid[reference.ReferencedSOPInstanceUID]
        assert reference.ReferencedSOPClassUID == image.SOPClassUID
        if frames:
            detector = image.DetectorInformationSequence[0]
            axes = np.array(detector.ImageOrientationPatient, float).reshape(2, 3)
            step = (reference.ReferencedFrameNumber - 1) * float(image.SpacingBetweenSlices)
            there = np.array(detector.ImagePositionPatient, float) + step * np.cross(*axes)
        else:
            assert "ReferencedFrameNumber" not in reference
            there = np.array(image.ImagePositionPatient, float)
        assert np.abs(position - there).max() < 1e-3
    (series,) = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == files[0].SeriesInstanceUID
    named = [instance.ReferencedSOPInstanceUID for instance in series.ReferencedInstanceSequence]
    assert len(named) == len(set(named)) and set(named) <= set(by_uid)
    assert seg.FrameOfReferenceUID == helpers.FRAME
    assert io.referenced_series(tmp_path / "seg.dcm") == files[0].SeriesInstanceUID


def test_one_phase_is_referred_to(tmp_path, masks):
    folder = helpers.write_slices(tmp_path / "phases", phases=3)
    write_dicom_seg(masks, tmp_path / "seg.dcm", source_series(folder, phase=2))
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    named = {i.ReferencedSOPInstanceUID for i in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    positions = {f.SOPInstanceUID: f.TemporalPositionIdentifier for f in map(pydicom.dcmread, folder.iterdir())}
    assert {positions[uid] for uid in named} == {3}
    with pytest.raises(InputError, match="phase 3 was asked"):
        source_series(folder, phase=3)


def test_codes_and_tracking(tmp_path, masks, dcmqi):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    uid = tracking_uid("L01", "1.2.3")
    segments = [
        Segment(masks["L01"], "lesion in T8", "bone metastasis", "T8", "L01", uid, "MANUAL"),
        Segment(masks["L02"], "healthy vertebra", "vertebra", "T7", algorithm="AUTOMATIC", algorithm_name="finder"),
    ]
    write_dicom_seg(segments, tmp_path / "seg.dcm", source)
    meta, _ = dcmqi("segimage2itkimage", tmp_path / "seg.dcm")
    (first,), (second,) = meta["segmentAttributes"]
    assert first["SegmentedPropertyTypeCodeSequence"]["CodeValue"] == "94222008"
    assert first["AnatomicRegionSequence"]["CodeMeaning"] == "T8 vertebra"
    assert (first["TrackingIdentifier"], first["TrackingUniqueIdentifier"]) == ("L01", uid)
    assert second["SegmentedPropertyTypeCodeSequence"]["CodeMeaning"] == "Vertebra"
    assert (second["SegmentAlgorithmType"], second["SegmentAlgorithmName"]) == ("AUTOMATIC", "finder")
    assert uid == tracking_uid("L01", "1.2.3") != tracking_uid("L01", "1.2.4")


def test_fractional_mask_keeps_its_values_to_half_a_step(tmp_path):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    values = np.random.default_rng(3).random(OBLIQUE.shape).astype(np.float32)
    write_dicom_seg({"part": image_from_array(values, OBLIQUE)}, tmp_path / "seg.dcm", source)
    found = io.load_masks(tmp_path / "seg.dcm")["part"]
    # 255 steps are stored, rounded
    assert np.abs(sitk.GetArrayFromImage(found) - values).max() <= 0.5 / 255 + 1e-6


def test_a_cropped_and_flipped_mask_is_put_where_it_lies(tmp_path, masks):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    odd = sitk.Flip(sitk.PermuteAxes(masks["L01"], [2, 0, 1])[1:6, 2:15, 1:12], [True, False, True])
    write_dicom_seg({"L01": odd}, tmp_path / "seg.dcm", source, keep_empty_frames=True)
    found = io.load_masks(tmp_path / "seg.dcm")["L01"]
    assert found.GetSize() == OBLIQUE.size
    assert np.array_equal(sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(masks["L01"]))


def test_many_segments_without_overlap(tmp_path):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    regions = {}
    for n in range(300):  # more than a byte counts
        voxels = np.zeros(OBLIQUE.shape, np.uint8)
        voxels.flat[n * 7] = 1
        regions[f"r{n}"] = image_from_array(voxels, OBLIQUE)
    write_dicom_seg(regions, tmp_path / "seg.dcm", source)
    found = io.load_masks(tmp_path / "seg.dcm")
    assert list(found) == list(regions)
    assert all(sitk.GetArrayViewFromImage(mask).sum() == 1 for mask in found.values())


@pytest.mark.parametrize("identified", [False, True])
def test_identity_only_on_demand(identified, tmp_path, masks):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    write_dicom_seg(masks, tmp_path / "seg.dcm", source, identified=identified)
    raw = (tmp_path / "seg.dcm").read_bytes()
    for secret in (b"Doe", b"SECRET-1", b"19500102", b"ACC-9"):
        assert (secret in raw) is identified
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert "research use only" in seg.SeriesDescription
    assert seg.get("PatientIdentityRemoved") == (None if identified else "YES")
    assert seg.StudyInstanceUID == helpers.STUDY


def test_what_cannot_be_written_is_said(tmp_path, masks):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    path = tmp_path / "seg.dcm"
    moved = sitk.Image(masks["L01"])
    moved.SetOrigin([part + 0.4 for part in moved.GetOrigin()])
    beyond = sitk.ConstantPad(masks["L01"], [0, 0, 4], [0, 0, 0])
    beyond[0, 0, 0] = 1
    empty = masks["L01"] * 0
    for segments, error, message in (
        ({"x": moved}, GeometryError, "not on the grid"),
        ({"x": beyond}, GeometryError, "beyond the series"),
        ({"x": empty}, InputError, "empty"),
        ({"x": masks["L01"] * 2}, InputError, "outside 0 to 1"),
        ({}, InputError, "no region"),
        ([Segment(masks["L01"], "x", kind="bone lession")], InputError, "near: bone lesion"),
        ([Segment(masks["L01"], "x", site="T13")], InputError, "No code is known for the site 'T13'"),
        ([Segment(masks["L01"], "x"), Segment(masks["L02"], "x")], InputError, "given twice: x"),
    ):
        with pytest.raises(error, match=message):
            write_dicom_seg(segments, path, source)
        assert not path.exists()
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        write_dicom_seg(masks, path, source)
    assert path.read_bytes() == b"mine"


def test_no_dicom_source_names_the_way_out(tmp_path, masks):
    sitk.WriteImage(masks["L01"], str(tmp_path / "image.nrrd"))
    with pytest.raises(InputError, match="write_derived_series"):
        source_series(tmp_path / "image.nrrd")


@pytest.mark.parametrize(("version", "way_out"), [("2.4.4", "Slicer 5.12"), ("3.0.1", r"bonequant\[dicom\]")])
def test_without_highdicom_the_message_says_how(version, way_out, tmp_path, masks, monkeypatch):
    source = source_series(helpers.write_slices(tmp_path / "slices"))
    real = builtins.__import__

    def missing(name, *arguments, **keywords):
        if name == "highdicom":
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.delitem(sys.modules, "highdicom", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setattr(pydicom, "__version__", version)
    with pytest.raises(MissingDependencyError, match=way_out):
        write_dicom_seg(masks, tmp_path / "seg.dcm", source)
