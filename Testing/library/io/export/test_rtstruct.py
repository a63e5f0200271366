"""Masks out as contours and back by our own reader voxel for voxel; the contours themselves by pydicom alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.io.export import source_series, write_rtstruct
from bonequant.io.export.contours import outlines
from bonequant.io.polygon import fill
from bonequant.volume import image_from_array

_spec = importlib.util.spec_from_file_location("export_conftest", Path(__file__).with_name("conftest.py"))
helpers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(helpers)
OBLIQUE = helpers.OBLIQUE


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_random_masks_are_filled_back_and_enclose_their_area():
    rng = np.random.default_rng(7)
    for _ in range(300):
        mask = rng.random(rng.integers(1, 13, 2)) < rng.random()
        polygons = outlines(mask)
        assert np.array_equal(fill(polygons, mask.shape), mask)
        # keyholes have no width, so the area is that of the voxels, holes left out
        assert sum(map(area, polygons)) == pytest.approx(mask.sum(), abs=1e-9)
        assert all(np.array_equal(np.abs(p % 1), np.full_like(p, 0.5)) for p in polygons)


def test_a_ring_is_one_keyhole_and_parts_that_touch_at_a_corner_are_two():
    ring = np.ones((5, 5), bool)
    ring[2, 2] = False
    (polygon,) = outlines(ring)
    assert area(polygon) == 24 and len(polygon) == 4 + 4 + 2  # the channel is entered once and left once
    corner = np.eye(2, dtype=bool)
    assert [area(p) for p in outlines(corner)] == [1, 1]


@pytest.mark.parametrize("kind", ["slices", "nm"])
def test_the_same_voxels_come_back(kind, tmp_path, masks):
    place = (
        helpers.write_slices(tmp_path / "s") if kind == "slices" else helpers.write_nm(tmp_path / "nm.dcm", frame=True)
    )
    write_rtstruct(masks, tmp_path / "rt.dcm", source_series(place))
    found = io.load_masks(tmp_path / "rt.dcm", like=io.load(place))
    assert list(found) == ["L01", "L02"]
    for name, mask in masks.items():  # L02 is drawn on every other slice only: nothing may be filled in between
        assert np.array_equal(sitk.GetArrayViewFromImage(found[name]), sitk.GetArrayViewFromImage(mask))
        assert helpers.farthest_mm(found[name], mask) < 0.01
    assert io.referenced_series(tmp_path / "rt.dcm") == source_series(place).series_uid


def test_contours_lie_on_their_slice_at_voxel_edges(tmp_path, masks):
    place = helpers.write_nm(tmp_path / "nm.dcm")
    write_rtstruct(masks, tmp_path / "rt.dcm", source_series(place))
    rt = pydicom.dcmread(tmp_path / "rt.dcm")
    nm = pydicom.dcmread(place)
    for drawn in rt.ROIContourSequence:
        for contour in drawn.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            index = (np.c_[points, np.ones(len(points))] @ OBLIQUE.physical_to_index.T)[:, :3]
            slice_of_frame = len(nm.SliceVector) - contour.ContourImageSequence[0].ReferencedFrameNumber
            assert np.abs(index[:, 2] - slice_of_frame).max() * OBLIQUE.spacing[2] < 1e-4  # mm
            edges = np.abs(index[:, :2] - np.rint(index[:, :2] + 0.5) + 0.5)
            assert (edges * OBLIQUE.spacing[:2]).max() < 1e-4  # mm: seven decimals are written


def test_identity_only_on_demand(tmp_path, masks):
    source = source_series(helpers.write_slices(tmp_path / "s"))
    for identified in (False, True):
        path = write_rtstruct(masks, tmp_path / f"rt{identified}.dcm", source, identified=identified)
        raw = path.read_bytes()
        assert all((secret in raw) is identified for secret in (b"Doe", b"SECRET-1", b"19500102", b"ACC-9"))
        assert b"research use only" in raw


def test_fractional_masks_are_refused(tmp_path):
    source = source_series(helpers.write_slices(tmp_path / "s"))
    half = image_from_array(np.full(OBLIQUE.shape, 0.5, np.float32), OBLIQUE)
    with pytest.raises(InputError, match="Threshold it, or write a SEG"):
        write_rtstruct({"half": half}, tmp_path / "rt.dcm", source)
    assert not (tmp_path / "rt.dcm").exists()


def test_real_structures_come_back(data, tmp_path):
    """The 177Lu SPECT's own RTSTRUCT, as masks, written as contours and as SEG again."""
    from bonequant.io.export import write_dicom_seg

    folder = data / "spect_lu177" / "SCAN_001"
    found = io.scan(folder)
    images = [info for info in found if info.kind == "slices"]
    (structures,) = [info for info in found if info.kind == "structure set"]
    spect = io.load(images[0].files[0].parent, series=images[0].series_uid)
    masks = io.load_masks(structures.files[0], like=spect)
    source = source_series(list(images[0].files))
    write_rtstruct(masks, tmp_path / "rt.dcm", source)
    write_dicom_seg(masks, tmp_path / "seg.dcm", source, keep_empty_frames=True)
    for again in (io.load_masks(tmp_path / "rt.dcm", like=spect), io.load_masks(tmp_path / "seg.dcm")):
        assert set(again) == set(masks)
        for name, mask in masks.items():
            assert np.array_equal(sitk.GetArrayViewFromImage(again[name]), sitk.GetArrayViewFromImage(mask))
            assert helpers.farthest_mm(again[name], mask) < 0.01
