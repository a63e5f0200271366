"""Masks to segments and back, whatever Slicer has done to the labelmaps in between."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import GeometryError, InputError
from bonequant.volume import Volume, same_grid


@pytest.fixture
def masks(oblique) -> dict[str, sitk.Image]:
    """Overlapping masks on the oblique grid; one touches the border, one is empty."""
    positive = sitk.Cast(oblique > 0, sitk.sitkUInt8)
    small = sitk.Image(oblique.GetSize(), sitk.sitkUInt8)
    small.CopyInformation(oblique)
    empty = sitk.Image(small)
    small[2, 3, 1] = 1
    small[3, 3, 1] = 1
    return {"bone": positive, "lesion_1": small, "nothing": empty}


def assert_same(found: dict[str, sitk.Image], expected: dict[str, sitk.Image]) -> None:
    assert list(found) == list(expected)
    for name, mask in expected.items():
        assert same_grid(found[name], mask), name
        np.testing.assert_array_equal(sitk.GetArrayFromImage(found[name]), sitk.GetArrayFromImage(mask), name)
        assert found[name].GetPixelID() == sitk.sitkUInt8


def test_round_trip(scene, masks):
    assert_same(mrml.from_node(mrml.to_node(masks, "Regions")), masks)


def test_round_trip_after_slicer_shares_the_labelmaps(scene, masks):
    """Slicer packs segments that do not overlap into one labelmap with several values."""
    masks["bone"] = masks["bone"] * (1 - masks["lesion_1"])
    node = mrml.to_node(masks)
    node.GetSegmentation().CollapseBinaryLabelmaps()
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    assert_same(mrml.from_node(node), masks)


def test_segments_drawn_in_slicer_come_back_on_the_volumes_grid(scene, oblique, masks):
    """Slicer crops what is drawn to an extent that need not start at 0; the mask has the volume's whole grid again."""
    import slicer
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.SetReferenceImageGeometryParameterFromVolumeNode(mrml.to_node(oblique, "CT"))
    whole = mrml.to_node({"lesion_1": masks["lesion_1"]}).GetSegmentation().GetNthSegment(0)
    labelmap = whole.GetRepresentation("Binary labelmap")
    crop = vtk.vtkExtractVOI()
    crop.SetInputData(labelmap)
    crop.SetVOI(2, 3, 3, 3, 1, 1)
    crop.Update()
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    cropped = slicer.vtkOrientedImageData()
    cropped.ShallowCopy(crop.GetOutput())
    cropped.SetGeometryFromImageToWorldMatrix(matrix)
    segment = slicer.vtkSegment()
    segment.SetName("lesion_1")
    segment.AddRepresentation("Binary labelmap", cropped)
    node.GetSegmentation().AddSegment(segment)
    assert cropped.GetExtent() == (2, 3, 3, 3, 1, 1)
    assert_same(mrml.from_node(node), {"lesion_1": masks["lesion_1"]})


def test_segments_set_through_slicers_helpers_come_back(scene, oblique, masks):
    import slicer

    volume = mrml.to_node(oblique, "CT")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = node.GetSegmentation().AddEmptySegment("s1", "bone")
    array = sitk.GetArrayFromImage(masks["bone"])
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)
    assert_same(mrml.from_node(node), {"bone": masks["bone"]})


def test_slicers_own_export_sees_the_same_voxels(scene, oblique, masks):
    import slicer

    volume = mrml.to_node(oblique, "CT")
    node = mrml.to_node(masks)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, "bone", volume)
    np.testing.assert_array_equal(array, sitk.GetArrayFromImage(masks["bone"]))


def test_a_segment_that_sticks_out_enlarges_its_mask_by_whole_voxels(scene, oblique, masks):
    from bonequant.mrml.segments import set_reference_geometry

    node = mrml.to_node(masks)
    part = oblique[2:5, 2:5, 1:3]
    set_reference_geometry(node, Volume(part).geometry)
    found = mrml.from_node(node)["bone"]
    expected = sitk.GetArrayFromImage(masks["bone"])
    assert sitk.GetArrayFromImage(found).sum() == expected.sum()
    for index in np.argwhere(expected)[:, ::-1].tolist():
        where = masks["bone"].TransformIndexToPhysicalPoint(index)
        assert found[found.TransformPhysicalPointToIndex(where)] == 1


def test_a_segment_on_another_grid_stays_on_it(scene, oblique, masks):
    from bonequant.mrml.segments import set_reference_geometry

    node = mrml.to_node({"bone": masks["bone"]})
    coarse = sitk.Image(10, 10, 10, sitk.sitkUInt8)
    coarse.SetSpacing((4.0, 4.0, 4.0))
    set_reference_geometry(node, Volume(coarse).geometry)
    assert_same(mrml.from_node(node), {"bone": masks["bone"]})


def test_a_parent_transform_is_not_applied(scene, masks):
    node = mrml.to_node(masks)
    node.SetAndObserveTransformNodeID(mrml.to_node(sitk.TranslationTransform(3, (5.0, 0.0, 0.0))).GetID())
    assert_same(mrml.from_node(node), masks)


def test_surfaces_are_converted_in_a_copy(scene):
    """A sphere of 20 mm radius as a surface: its labelmap has the sphere's volume."""
    import slicer
    import vtk
    from bonequant.mrml.segments import set_reference_geometry

    grid = sitk.Image(50, 50, 50, sitk.sitkUInt8)
    grid.SetOrigin((-25.0, -25.0, -25.0))
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(20)
    sphere.SetThetaResolution(64)
    sphere.SetPhiResolution(64)
    sphere.Update()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "contours")
    node.SetSourceRepresentationToClosedSurface()
    segment = slicer.vtkSegment()
    segment.SetName("lesion_1")
    segment.AddRepresentation("Closed surface", sphere.GetOutput())
    node.GetSegmentation().AddSegment(segment, "lesion_1")
    set_reference_geometry(node, Volume(grid).geometry)

    mask = mrml.from_node(node)["lesion_1"]
    assert same_grid(mask, grid)
    # The 64-gon surface is 0.5 % smaller than the sphere; whole voxels add about 1 %.
    assert sitk.GetArrayFromImage(mask).sum() == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.02)
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")


def test_names_and_colours(scene, oblique, masks):
    node = mrml.to_node({**masks, "lesion_2": masks["lesion_1"]}, "Regions")
    assert node.GetName() == "Regions"
    colours = mrml.segment_colours(node)
    assert list(colours) == ["bone", "lesion_1", "nothing", "lesion_2"]
    assert len(set(colours.values())) == 4


def test_errors_name_the_mask(scene, oblique, masks):
    fractional = sitk.Cast(masks["bone"], sitk.sitkFloat32) * 0.5
    with pytest.raises(InputError, match="'part' holds other values"):
        mrml.to_node({"part": fractional})
    other = sitk.Image(masks["bone"])
    other.SetOrigin((0, 0, 0))
    with pytest.raises(GeometryError, match="'bone' and 'moved' lie on different grids"):
        mrml.to_node({"bone": masks["bone"], "moved": other})
    with pytest.raises(InputError, match="no mask"):
        mrml.to_node({})
    node = mrml.to_node(masks)
    node.GetSegmentation().GetNthSegment(0).SetName("lesion_1")
    with pytest.raises(InputError, match="two segments named 'lesion_1'"):
        mrml.from_node(node)
    blank = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "blank")
    blank.GetSegmentation().AddEmptySegment("s", "new")
    with pytest.raises(InputError, match="Segment 'new' is empty"):
        mrml.from_node(blank)
