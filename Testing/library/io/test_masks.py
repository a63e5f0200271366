"""Masks: contours against analytic areas, DICOM SEG by highdicom, .seg.nrrd by Slicer's own reader, label images."""

from __future__ import annotations

from pathlib import Path

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import AmbiguousInputError, GeometryError, InputError
from bonequant.io.polygon import fill
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

GEOMETRY = Geometry((40, 30, 10), (2.0, 2.0, 3.0), (-10.0, 5.0, 100.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
FRAME = generate_uid()
LIKE = Volume(image_from_array(np.zeros(GEOMETRY.shape, np.int16), GEOMETRY), "CT", "HU",
              Acquisition(frame_of_reference_uid=FRAME))  # fmt: skip


def box(x0, x1, y0, y1):
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)


def to_mm(xy, z):
    """Index (x, y) on slice ``z`` as LPS points."""
    index = np.column_stack([xy, np.full(len(xy), z), np.ones(len(xy))])
    return (index @ GEOMETRY.index_to_physical.T)[:, :3]


def write_rtstruct(path: Path, regions: dict, frame: str = FRAME) -> Path:
    """``regions``: name -> list of (points in mm, geometric type)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.SeriesInstanceUID, dataset.Modality, dataset.StructureSetLabel = generate_uid(), "RTSTRUCT", path.stem
    dataset.StructureSetROISequence, dataset.ROIContourSequence = Sequence(), Sequence()
    for number, (name, contours) in enumerate(regions.items(), 1):
        roi, drawn = pydicom.Dataset(), pydicom.Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name.rstrip("*"), frame
        drawn.ReferencedROINumber, drawn.ContourSequence = number, Sequence()
        for points, kind in contours:
            contour = pydicom.Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
            contour.ContourData = [f"{part:.6g}" for part in np.asarray(points).ravel()]
            drawn.ContourSequence.append(contour)
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
    if int(pydicom.__version__.split(".")[0]) < 3:
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.save_as(path)
    return path


def array(mask: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(mask)


def test_fill_is_exact_at_pixel_centres():
    """Against the crossing number of every pixel centre, for a star with vertices off the grid."""
    angle = np.linspace(0, 2 * np.pi, 23, endpoint=False)
    radius = np.where(np.arange(23) % 2, 9.3, 4.1)
    star = np.column_stack([15.2 + radius * np.cos(angle), 11.7 + radius * np.sin(angle)])
    y, x = np.mgrid[:24, :31]
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(star, np.roll(star, -1, axis=0), strict=True):
        crosses = (y0 <= y) != (y1 <= y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x >= x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    assert np.array_equal(fill([star], (24, 31)), inside)


def test_polygons_that_share_an_edge_tile():
    """Edges through pixel centres: every pixel belongs to one of the two, none to both."""
    left, right = fill([box(2, 7, 3, 9)], (12, 15)), fill([box(7, 11, 3, 9)], (12, 15))
    assert not (left & right).any()
    assert np.array_equal(left | right, fill([box(2, 11, 3, 9)], (12, 15)))
    assert (left | right).sum() == 9 * 6
    assert fill([box(-50, 50, -50, 50)], (12, 15)).all()


def test_contours_with_a_hole_a_copy_and_an_open_line(tmp_path):
    outer, inner = to_mm(box(4.5, 24.5, 4.5, 14.5), 5), to_mm(box(9.5, 14.5, 7.5, 10.5), 5)
    above = to_mm(box(4.5, 24.5, 4.5, 14.5), 6)
    regions = {"liver": [(outer, "CLOSED_PLANAR"), (inner, "CLOSED_PLANAR"), (inner, "CLOSED_PLANAR"),
                         (above, "CLOSED_PLANAR"), (above[:2], "OPEN_PLANAR")],
               "isocentre": [(outer[:1], "POINT")],
               "liver*": [(outer, "CLOSED_PLANAR"), (inner, "CLOSEDPLANAR_XOR")]}  # fmt: skip
    masks = io.load_masks(write_rtstruct(tmp_path / "a.dcm", regions), LIKE)
    assert list(masks) == ["liver", "liver_2"]
    assert array(masks["liver"]).sum(axis=(1, 2)).tolist() == [0] * 5 + [20 * 10 - 5 * 3, 200] + [0] * 3
    assert array(masks["liver_2"]).sum() == 20 * 10 - 5 * 3
    assert array(masks["liver"])[5, 8, 10] == 0
    assert array(masks["liver"])[5, 8, 9] == 1


def test_contours_between_slices_belong_to_slabs(tmp_path):
    """Planes every 6 mm on a grid of 3 mm, drawn 0.5 mm off the slices: each plane fills 6 mm, two slices."""
    square = box(4.5, 14.5, 4.5, 14.5)
    contours = [(to_mm(square, k + 0.5 / 3), "CLOSED_PLANAR") for k in (2, 4, 6)]
    masks = io.load_masks(write_rtstruct(tmp_path / "a.dcm", {"lesion": contours}), LIKE)
    filled = np.flatnonzero(array(masks["lesion"]).any(axis=(1, 2)))
    assert filled.size == 6
    assert set(filled) >= {2, 3, 4, 5, 6}


def test_a_gap_between_contours_stays_a_gap(tmp_path):
    square = box(4.5, 14.5, 4.5, 14.5)
    contours = [(to_mm(square, k), "CLOSED_PLANAR") for k in (1, 2, 6, 7)]
    masks = io.load_masks(write_rtstruct(tmp_path / "a.dcm", {"lesion": contours}), LIKE)
    assert np.flatnonzero(array(masks["lesion"]).any(axis=(1, 2))).tolist() == [1, 2, 6, 7]


@pytest.mark.parametrize(
    ("planes", "filled"),
    [
        ((1, 8), [1, 8]),  # two lesions of one slice each under one name, not one of 14 slices
        ((1, 4, 9), [0, 1, 2, 3, 4, 5, 8, 9]),  # planes 3 slices apart, then another piece
        ((0, 3, 6, 7), [0, 1, 2, 3, 4, 5, 6, 7, 8]),  # one plane too many leaves no holes
        ((5,), [5]),
    ],
)
def test_the_distance_of_planes_is_the_one_that_returns(tmp_path, planes, filled):
    square = box(4.5, 14.5, 4.5, 14.5)
    contours = [(to_mm(square, k), "CLOSED_PLANAR") for k in planes]
    masks = io.load_masks(write_rtstruct(tmp_path / "a.dcm", {"lesion": contours}), LIKE)
    assert np.flatnonzero(array(masks["lesion"]).any(axis=(1, 2))).tolist() == filled


def test_structures_that_do_not_fit(tmp_path):
    square = box(4.5, 14.5, 4.5, 14.5)
    path = write_rtstruct(tmp_path / "a.dcm", {"in": [(to_mm(square, 3), "CLOSED_PLANAR")],
                                               "out": [(to_mm(square, 60), "CLOSED_PLANAR")]})  # fmt: skip
    with pytest.raises(InputError, match="out covers no voxel"):
        io.load_masks(path, LIKE)
    assert list(io.load_masks(path, LIKE, names=["in"])) == ["in"]
    with pytest.raises(InputError, match="like="):
        io.load_masks(path)
    other = write_rtstruct(tmp_path / "b.dcm", {"in": [(to_mm(square, 3), "CLOSED_PLANAR")]}, frame=generate_uid())
    with pytest.raises(InputError, match="another frame of reference"):
        io.load_masks(other, LIKE)
    assert list(io.load_masks(other, LIKE.image)) == ["in"]
    sagittal = to_mm(square, 3)[:, [2, 0, 1]] + [-90, 0, 100]
    with pytest.raises(GeometryError, match="do not run along the slices"):
        io.load_masks(write_rtstruct(tmp_path / "c.dcm", {"s": [(sagittal, "CLOSED_PLANAR")]}), LIKE)
    with pytest.raises(InputError, match="none of its 1 structures"):
        io.load_masks(write_rtstruct(tmp_path / "d.dcm", {"p": [(square[:1] @ np.zeros((2, 3)), "POINT")]}), LIKE)
    with pytest.raises(AmbiguousInputError, match="mask series"):
        io.load_masks(tmp_path, LIKE)
    assert list(io.load_masks(tmp_path, LIKE.image, series="b")) == ["in"]


SEGMENTS = np.zeros((6, 5, 4, 2), bool)
SEGMENTS[1:3, 1:4, 1:3, 0] = True
SEGMENTS[2:5, 2:5, :2, 1] = True  # overlaps the first; slices 0 and 5 stay empty and are left out of the file


@pytest.fixture
def source(write_slices):
    return write_slices(np.ones((6, 5, 4), np.uint16), orientation=(0, 1, 0, 0, 0, -1), PatientSex="F",
                          PatientBirthDate="", AccessionNumber="", StudyDate="", StudyTime="", StudyID="",
                          ReferringPhysicianName="", Manufacturer="M")  # fmt: skip


def write_seg(source: Path, path: Path, kind: str, pixels: np.ndarray, **options) -> Path:
    highdicom = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    images = sorted((pydicom.dcmread(p) for p in source.iterdir()), key=lambda d: d.InstanceNumber)
    descriptions = [
        highdicom.seg.SegmentDescription(
            i, name, codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion,
            highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for i, name in enumerate(["lesion 1", "lesion 2"], 1)
    ]  # fmt: skip
    made = highdicom.seg.Segmentation(
        images, pixels, kind, descriptions, generate_uid(), 5, generate_uid(), 1, "M", "M", "1", "1", **options
    )
    made.save_as(path)
    return path


def test_binary_segments_keep_grid_and_overlap(source, tmp_path):
    path = write_seg(source, tmp_path / "seg.dcm", "BINARY", SEGMENTS)
    masks, image = io.load_masks(path), io.load(source)
    assert io.referenced_series(path) == image.acquisition.series_uid
    for name, pixels in zip(("lesion 1", "lesion 2"), np.moveaxis(SEGMENTS, -1, 0), strict=True):
        mask = masks[name]
        assert mask.GetPixelID() == sitk.sitkUInt8
        # Same physical points as the source, though empty slices are left out: compare voxel by voxel in space.
        on_image = sitk.Resample(mask, image.image, sitk.Transform(), sitk.sitkNearestNeighbor)
        assert np.array_equal(array(on_image), pixels)


def test_segment_frames_without_spacing_and_with_rounded_positions(source, tmp_path):
    """Positions that differ by rounding are one slice: the smallest distance that occurs is not 0.0004 mm."""
    path = write_seg(source, tmp_path / "seg.dcm", "BINARY", SEGMENTS)
    due = {name: array(mask) for name, mask in io.load_masks(path).items()}
    dataset = pydicom.dcmread(path)
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    for frame in dataset.PerFrameFunctionalGroupsSequence[::2]:
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [position[0], position[1], float(position[2]) + 4e-4]
    dataset.save_as(path)
    found = io.load_masks(path)
    assert all(np.array_equal(array(found[name]), due[name]) for name in due)


def test_a_segment_frame_that_does_not_say_its_segment(source, tmp_path):
    path = write_seg(source, tmp_path / "seg.dcm", "BINARY", SEGMENTS)
    dataset = pydicom.dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[1].SegmentIdentificationSequence
    dataset.save_as(path)
    with pytest.raises(InputError, match=r"does not say its segment, Referenced Segment Number .* there are 2"):
        io.load_masks(path)


def test_fractional_and_label_map_segments(source, tmp_path):
    fractions = SEGMENTS * np.array([0.5, 1.0])
    masks = io.load_masks(write_seg(source, tmp_path / "f.dcm", "FRACTIONAL", fractions, max_fractional_value=200))
    assert np.unique(array(masks["lesion 1"])).tolist() == [0.0, 0.5]
    assert masks["lesion 1"].GetPixelID() == sitk.sitkFloat32
    highdicom = pytest.importorskip("highdicom")
    if not hasattr(highdicom.seg.SegmentationTypeValues, "LABELMAP"):
        return  # highdicom before 0.24 cannot write label maps
    labels = SEGMENTS[..., 0] + 2 * (SEGMENTS[..., 1] & ~SEGMENTS[..., 0])
    masks = io.load_masks(write_seg(source, tmp_path / "l.dcm", "LABELMAP", labels.astype(np.uint8)))
    assert {name: int(array(mask).sum()) for name, mask in masks.items()} == {
        "lesion 1": int((labels == 1).sum()), "lesion 2": int((labels == 2).sum())}  # fmt: skip


def masks_that_overlap():
    first, second = np.zeros(GEOMETRY.shape, np.uint8), np.zeros(GEOMETRY.shape, np.uint8)
    first[2:5, 3:9, 4:11], second[4:8, 6:12, 8:20] = 1, 1
    third = np.zeros(GEOMETRY.shape, np.float32)
    third[8, 20:25, 30:35] = 0.75
    return {n: image_from_array(a, GEOMETRY) for n, a in {"bone": first, "Läsion 2": second, "part": third}.items()}


def test_segmentation_round_trip(tmp_path):
    masks = masks_that_overlap()
    path = io.write_segmentation(masks, tmp_path / "a.seg.nrrd", like=LIKE, colors={"bone": (1, 0, 0.5)})
    back = io.load_masks(path, LIKE)
    assert list(back) == list(masks)
    for name, mask in masks.items():
        assert np.array_equal(array(back[name]), array(mask) >= 0.5)
        assert Geometry.of(back[name]) == GEOMETRY
    assert [p.name for p in tmp_path.iterdir()] == ["a.seg.nrrd"]
    single = io.write_segmentation({"bone": masks["bone"]}, tmp_path / "b.seg.nrrd")
    assert np.array_equal(array(io.load_masks(single)["bone"]), array(masks["bone"]))


def test_slicer_itself_reads_the_segmentation(tmp_path):
    """Slicer's own storage node, from the slicer-core package."""
    slicer = pytest.importorskip("slicer")
    path = io.write_segmentation(masks_that_overlap(), tmp_path / "a.seg.nrrd", colors={"bone": (1, 0, 0.5)})
    node = slicer.vtkMRMLSegmentationNode()
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(i).GetName() for i in range(segmentation.GetNumberOfSegments())]
    assert names == ["bone", "Läsion 2", "part"]
    assert segmentation.GetNumberOfLayers() == 2
    assert segmentation.GetNthSegment(0).GetColor() == (1.0, 0.0, 0.5)
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    for i, mask in enumerate(masks_that_overlap().values()):
        segment = segmentation.GetNthSegment(i)
        image = segment.GetRepresentation("Binary labelmap")
        voxels = vtk_to_numpy(image.GetPointData().GetScalars())
        assert int((voxels == segment.GetLabelValue()).sum()) == int((array(mask) >= 0.5).sum())
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        # The same voxel in space: RAS there, LPS here.
        x, y, z = image.GetExtent()[::2]
        ras = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)]) @ [x, y, z, 1]
        lps = ras[:3] * [-1, -1, 1]
        index = (GEOMETRY.physical_to_index @ [*lps, 1])[:3]
        assert np.abs(index - np.round(index)).max() < 1e-6


def test_writing_what_cannot_be_written(tmp_path):
    masks = masks_that_overlap()
    small = sitk.Image(5, 5, 5, sitk.sitkUInt8)
    with pytest.raises(GeometryError, match="'small' lies on another grid"):
        io.write_segmentation({**masks, "small": small}, tmp_path / "a.seg.nrrd")
    with pytest.raises(InputError, match="no mask"):
        io.write_segmentation({}, tmp_path / "a.seg.nrrd")
    with pytest.raises(InputError, match=r"\.seg\.nrrd"):
        io.write_segmentation(masks, tmp_path / "a.nii.gz")


def test_label_images_fractions_and_folders(tmp_path):
    labels = np.zeros(GEOMETRY.shape, np.int16)
    labels[1, :5, :5], labels[2, :5, :5] = 1, 7
    sitk.WriteImage(image_from_array(labels, GEOMETRY), str(tmp_path / "labels.nii.gz"))
    masks = io.load_masks(tmp_path / "labels.nii.gz", LIKE)
    assert {name: int(array(mask).sum()) for name, mask in masks.items()} == {"label_1": 25, "label_7": 25}
    assert list(io.load_masks(tmp_path / "labels.nii.gz", names=["label_7"])) == ["label_7"]
    with pytest.raises(InputError, match="no region label_3"):
        io.load_masks(tmp_path / "labels.nii.gz", names=["label_3"])

    fraction = image_from_array((labels / 7.0).astype(np.float32), GEOMETRY)
    sitk.WriteImage(fraction, str(tmp_path / "soft.nrrd"))
    assert io.load_masks(tmp_path / "soft.nrrd")["soft"].GetPixelID() == sitk.sitkFloat32

    folder = tmp_path / "organs"
    folder.mkdir()
    for name, values in {"liver": labels == 1, "spleen": labels == 7, "absent": labels == 9}.items():
        sitk.WriteImage(image_from_array(values, GEOMETRY), str(folder / f"{name}.nii.gz"))
    assert list(io.load_masks(folder, LIKE)) == ["liver", "spleen"]
    assert io.referenced_series(folder) is io.referenced_series(tmp_path / "soft.nrrd") is None


def test_masks_that_cannot_be_used(tmp_path):
    empty = tmp_path / "empty.nrrd"
    sitk.WriteImage(image_from_array(np.zeros(GEOMETRY.shape, np.uint8), GEOMETRY), str(empty))
    with pytest.raises(InputError, match="empty"):
        io.load_masks(empty)
    far = Geometry(GEOMETRY.size, GEOMETRY.spacing, (900.0, 0.0, 0.0), GEOMETRY.direction)
    sitk.WriteImage(image_from_array(np.ones(far.shape, np.uint8), far), str(tmp_path / "far.nrrd"))
    with pytest.raises(InputError, match="does not overlap"):
        io.load_masks(tmp_path / "far.nrrd", LIKE)
    values = np.random.default_rng(0).normal(size=GEOMETRY.shape)
    sitk.WriteImage(image_from_array(values, GEOMETRY), str(tmp_path / "image.nrrd"))
    with pytest.raises(InputError, match="an image, no mask"):
        io.load_masks(tmp_path / "image.nrrd")
