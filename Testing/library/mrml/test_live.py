"""Live propagation: what is drawn on one volume is on the others, as if carried whole; adjusted, left alone; let go."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.mrml.live import ADJUSTED, LivePropagation
from bonequant.mrml.live_measure import LiveMeasurement
from bonequant.mrml.patches import patch_of, write_patch
from bonequant.roi import propagate
from bonequant.roi.carry import Patch
from bonequant.volume import Geometry, Volume, image_from_array

ALONG = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SPECT = Geometry((32, 30, 28), (4.42, 4.42, 4.42), (-70.0, -66.0, -62.0), ALONG)
CT = Geometry((90, 88, 40), (1.2, 1.2, 3.0), (-54.0, -52.0, -60.0), ALONG)


def shift() -> sitk.Transform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.05, -0.1, 0.15)
    transform.SetTranslation((4.0, -3.0, 6.0))
    return transform


def ball(grid: Geometry, centre_mm: tuple[float, float, float], diameter_mm: float = 20.0) -> np.ndarray:
    z, y, x = np.indices(grid.shape)
    points = grid.points_of(np.stack([z.ravel(), y.ravel(), x.ravel()], axis=1)).reshape(*grid.shape, 3)
    return np.linalg.norm(points - centre_mm, axis=-1) <= diameter_mm / 2.0


def volume(grid: Geometry, modality: str) -> Volume:
    z, y, x = np.indices(grid.shape).astype(np.float32)
    return Volume(image_from_array(z + 2 * y + 3 * x, grid), modality, "SUVbw" if modality == "NM" else "HU")


class Scene:
    """A SPECT laid on a CT by a registration, and lesions drawn on the SPECT."""

    def __init__(self) -> None:
        self.spect, self.ct = mrml.to_node(volume(SPECT, "NM"), "SPECT"), mrml.to_node(volume(CT, "CT"), "CT")
        self.registration = mrml.to_node(shift(), "registration")
        self.spect.SetAndObserveTransformNodeID(self.registration.GetID())
        self.drawn = np.zeros(SPECT.shape, dtype=bool)
        self.lesions = mrml.to_node({"lesion_1": image_from_array(self.drawn.astype(np.uint8), SPECT)}, "Lesions")
        self.lesions.SetAndObserveTransformNodeID(self.registration.GetID())

    def paint(self, centre_mm: tuple[float, float, float], segment_id: str = "lesion_1") -> None:
        self.drawn = self.drawn | ball(SPECT, centre_mm)
        write_patch(self.lesions, segment_id, Patch(SPECT, np.zeros(3, dtype=int), self.drawn))

    def expected(self) -> np.ndarray:
        mask = image_from_array(self.drawn.astype(np.uint8), SPECT)
        like = image_from_array(np.zeros(CT.shape, np.uint8), CT)
        inverse = sitk.Transform(shift().GetInverse())
        return sitk.GetArrayFromImage(propagate(mask, like, inverse)) >= 0.5

    def on_ct(self, live: LivePropagation, segment_id: str = "lesion_1") -> np.ndarray:
        patch = patch_of(live.targets[self.ct.GetID()], segment_id)
        return patch.part((np.zeros(3, dtype=int), np.array(CT.size)))


@pytest.fixture
def set_up(scene):
    return Scene()


def test_strokes_appear_on_the_other_volume_as_the_whole_mask_carried(set_up):
    live = LivePropagation(set_up.lesions, [set_up.ct])
    for centre in ((0.0, 0.0, 0.0), (8.0, 4.0, -3.0), (-12.0, 6.0, 10.0)):
        set_up.paint(centre)
        np.testing.assert_array_equal(set_up.on_ct(live), set_up.expected())
    assert set_up.expected().any()
    live.stop()


def test_erasing_takes_it_off_the_other_volume(set_up):
    live = LivePropagation(set_up.lesions, [set_up.ct])
    set_up.paint((0.0, 0.0, 0.0))
    set_up.paint((8.0, 4.0, -3.0))
    set_up.drawn &= ~ball(SPECT, (8.0, 4.0, -3.0))
    set_up.paint((1000.0, 0.0, 0.0))
    np.testing.assert_array_equal(set_up.on_ct(live), set_up.expected())
    set_up.drawn[:] = False
    set_up.paint((1000.0, 0.0, 0.0))
    assert not set_up.on_ct(live).any()
    live.stop()


def test_what_was_drawn_before_is_carried_at_the_start(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    np.testing.assert_array_equal(set_up.on_ct(live), set_up.expected())
    live.stop()


def test_the_carried_segmentation_lies_with_its_volume(set_up):
    live = LivePropagation(set_up.lesions, [set_up.ct])
    node = live.targets[set_up.ct.GetID()]
    assert node.GetName() == "Lesions on CT"
    assert node.GetParentTransformNode() is None
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is set_up.ct
    live.stop()


def test_a_new_registration_moves_what_was_carried(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    before = set_up.on_ct(live)
    inverse = mrml.to_node(sitk.TranslationTransform(3, (0.0, 0.0, 0.0)), "none")
    for node in (set_up.spect, set_up.lesions):
        node.SetAndObserveTransformNodeID(inverse.GetID())
    like = image_from_array(np.zeros(CT.shape, np.uint8), CT)
    mask = image_from_array(set_up.drawn.astype(np.uint8), SPECT)
    after = sitk.GetArrayFromImage(propagate(mask, like)) >= 0.5
    assert (before != after).any()
    np.testing.assert_array_equal(set_up.on_ct(live), after)
    live.stop()


def test_an_adjusted_segment_is_marked_and_left_alone_until_reset(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    assert not live.adjusted(set_up.ct, "lesion_1")
    own = Patch(CT, np.array([10, 10, 10]), np.ones((4, 4, 4), dtype=bool))
    write_patch(live.targets[set_up.ct.GetID()], "lesion_1", own)
    assert live.adjusted(set_up.ct, "lesion_1")
    set_up.paint((8.0, 4.0, -3.0))
    assert np.count_nonzero(set_up.on_ct(live)) == 64
    live.reset(set_up.ct, "lesion_1")
    assert not live.adjusted(set_up.ct, "lesion_1")
    np.testing.assert_array_equal(set_up.on_ct(live), set_up.expected())
    live.stop()


def test_the_mark_is_a_tag_that_the_scene_keeps(set_up):
    live = LivePropagation(set_up.lesions, [set_up.ct])
    set_up.paint((0.0, 0.0, 0.0))
    write_patch(
        live.targets[set_up.ct.GetID()], "lesion_1", Patch(CT, np.zeros(3, dtype=int), np.ones((2, 2, 2), bool))
    )
    live.stop()
    again = LivePropagation(set_up.lesions, [set_up.ct])
    assert again.targets == live.targets
    assert again.adjusted(set_up.ct, "lesion_1")
    assert again.targets[set_up.ct.GetID()].GetSegmentation().GetSegment("lesion_1").HasTag(ADJUSTED)
    assert np.count_nonzero(set_up.on_ct(again)) == 8
    again.stop()


def test_what_the_user_changed_while_nothing_was_carried_is_kept(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    live.stop()
    untouched = LivePropagation(set_up.lesions, [set_up.ct])
    assert not untouched.adjusted(set_up.ct, "lesion_1")
    untouched.stop()
    write_patch(
        live.targets[set_up.ct.GetID()], "lesion_1", Patch(CT, np.zeros(3, dtype=int), np.ones((2, 2, 2), bool))
    )
    again = LivePropagation(set_up.lesions, [set_up.ct])
    assert again.adjusted(set_up.ct, "lesion_1")
    assert np.count_nonzero(set_up.on_ct(again)) == 8
    again.stop()


def test_a_saved_and_reopened_scene_goes_on_where_it_was(set_up, tmp_path):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    live.stop()
    scene = mrml.read_scene(mrml.save_scene(set_up.lesions.GetScene(), tmp_path / "scene.mrb"))
    lesions, ct = scene.GetFirstNodeByName("Lesions"), scene.GetFirstNodeByName("CT")
    again = LivePropagation(lesions, [ct])
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2
    assert not again.adjusted(ct, "lesion_1")
    patch = patch_of(again.targets[ct.GetID()], "lesion_1")
    assert np.count_nonzero(patch.voxels) == np.count_nonzero(set_up.expected())
    again.stop()


def test_segments_come_go_and_are_renamed_with_the_source(set_up):
    updates: list[list[str]] = []
    live = LivePropagation(set_up.lesions, [set_up.ct], on_update=updates.append)
    segmentation, carried = set_up.lesions.GetSegmentation(), live.targets[set_up.ct.GetID()].GetSegmentation()
    segmentation.AddEmptySegment("second", "lesion_2", (1.0, 0.0, 0.0))
    set_up.paint((5.0, 5.0, 5.0), "second")
    assert carried.GetSegment("second").GetName() == "lesion_2"
    assert tuple(carried.GetSegment("second").GetColor()) == (1.0, 0.0, 0.0)
    np.testing.assert_array_equal(set_up.on_ct(live, "second"), set_up.expected())
    segmentation.GetSegment("second").SetName("pelvis")
    assert carried.GetSegment("second").GetName() == "pelvis"
    segmentation.RemoveSegment("second")
    assert carried.GetSegment("second") is None
    assert ["second"] in updates
    live.stop()


def test_strokes_within_the_delay_are_carried_together(set_up):
    waiting: list[tuple[float, object]] = []
    updates: list[list[str]] = []
    live = LivePropagation(
        set_up.lesions,
        [set_up.ct],
        on_update=updates.append,
        schedule=lambda seconds, call: waiting.append((seconds, call)),
        delay_s=0.04,
    )
    updates.clear()
    for centre in ((0.0, 0.0, 0.0), (8.0, 4.0, -3.0)):
        set_up.paint(centre)
    assert [seconds for seconds, _ in waiting] == [0.04]
    assert not set_up.on_ct(live).any()
    waiting.pop()[1]()
    assert updates == [["lesion_1"]]
    np.testing.assert_array_equal(set_up.on_ct(live), set_up.expected())
    live.stop()


@pytest.mark.parametrize("way", ["stop", "close", "remove"])
def test_no_observer_is_left(set_up, scene, way):
    from Testing.host.observers import python_observers

    subjects = [scene, set_up.lesions, set_up.ct, set_up.lesions.GetSegmentation()]
    before = [python_observers(subject) for subject in subjects]
    waiting: list = []
    live = LivePropagation(set_up.lesions, [set_up.ct], schedule=lambda seconds, call: waiting.append(call))
    subjects.append(live.targets[set_up.ct.GetID()])
    assert live.running
    set_up.paint((0.0, 0.0, 0.0))
    {"stop": live.stop, "close": lambda: scene.Clear(0), "remove": lambda: scene.RemoveNode(set_up.ct)}[way]()
    assert not live.running
    assert [python_observers(subject) for subject in subjects] == [*before, 0]
    for call in waiting:  # a timer that fires late does nothing
        call()


def test_measured_live_is_measured_at_the_end(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    live = LivePropagation(set_up.lesions, [set_up.ct])
    measurement = LiveMeasurement()
    for node, regions in ((set_up.spect, set_up.lesions), (set_up.ct, live.targets[set_up.ct.GetID()])):
        found = measurement.measure(node, regions, "lesion_1")
        expected = mrml.measure_segments(node, regions)["lesion_1"]
        assert found.volume_ml == pytest.approx(expected.volume_ml, rel=1e-12)
        # The B-spline's prefilter starts 16 voxels around the mask either way, so only rounding differs.
        assert found.mean == pytest.approx(expected.mean, rel=1e-9)
        assert found.max == expected.max
    live.stop()


def test_a_changed_volume_is_read_again(set_up):
    set_up.paint((0.0, 0.0, 0.0))
    measurement = LiveMeasurement()
    before = measurement.measure(set_up.spect, set_up.lesions, "lesion_1").mean
    import slicer

    slicer.util.arrayFromVolume(set_up.spect)[:] += 10.0
    slicer.util.arrayFromVolumeModified(set_up.spect)
    assert measurement.measure(set_up.spect, set_up.lesions, "lesion_1").mean == pytest.approx(before + 10.0, rel=1e-6)


def test_nothing_drawn_is_no_measurement(set_up):
    assert LiveMeasurement().measure(set_up.spect, set_up.lesions, "lesion_1") is None


def test_a_node_outside_a_scene_is_refused(set_up):
    with pytest.raises(InputError, match="in a scene"):
        LivePropagation(set_up.lesions, [None])
