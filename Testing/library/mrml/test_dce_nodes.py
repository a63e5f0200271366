"""DCE studies in nodes and back: times, flip angles, drawn and found arteries, live values beside the job's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("slicer", reason="slicer-core is not installed")

from bonequant import mrml
from bonequant.errors import InputError
from bonequant.mrml.dce_nodes import artery_to_node, date_from_nodes, date_to_nodes, drawn_artery
from bonequant.mrml.frame_times import times_as_text, times_from_text
from bonequant.mrml.live_curves import LiveCurves
from bonequant.mrml.response_nodes import response_to_nodes
from bonequant.phantom import SpineScan, simulate_spine, spine_follow_up, spine_preset
from bonequant.studies import dce_perfusion
from bonequant.studies.dce_perfusion import DceInputs, DceSettings
from bonequant.studies.treatment_response import DateInputs, ResponseInputs, ResponseSettings, run


@pytest.fixture(scope="module")
def scans() -> tuple[SpineScan, SpineScan]:
    before = simulate_spine(spine_preset("small", frames=24, vfa_deg=(2.0, 10.0, 25.0)))
    return before, simulate_spine(spine_follow_up(before.settings))


@pytest.fixture
def scene():
    scene = mrml.embedded()
    scene.Clear(0)
    return scene


def inputs(scan: SpineScan, name: str) -> DateInputs:
    dce = DceInputs(scan.series, t1_volumes=tuple(scan.vfa.values()), name=name)
    return DateInputs(name, dce, lesions={"lesion_1": scan.masks["lesion_1"]})


def test_a_date_comes_back_from_its_nodes_as_it_was(scans, scene):
    given = inputs(scans[0], "before")
    nodes = date_to_nodes(given, scene)
    back = date_from_nodes("before", nodes["sequence"], flip_angles=nodes["flip_angles"], regions=[nodes["regions"]])
    assert np.array_equal(back.dce.series.frames, given.dce.series.frames)
    assert back.dce.series.times_s.tolist() == given.dce.series.times_s.tolist()
    assert [one.acquisition.protocol["flip_angle_deg"] for one in back.dce.t1_volumes] == [2.0, 10.0, 25.0]
    assert np.array_equal(
        sitk.GetArrayFromImage(back.lesions["lesion_1"]), sitk.GetArrayFromImage(given.lesions["lesion_1"])
    )
    assert back.scan_date == given.scan_date


def test_the_input_looked_at_first_is_the_one_that_is_used(scans):
    study, settings = inputs(scans[0], "before").dce, DceSettings(descriptive=False)
    assert np.array_equal(
        dce_perfusion.arterial_input(study, settings).values, dce_perfusion.run(study, settings).artery.values
    )


def test_population_and_descriptive_models_have_an_input_or_say_why_not(scans):
    study = inputs(scans[0], "before").dce
    assert dce_perfusion.arterial_input(study, DceSettings(input="parker")).method == "population"
    with pytest.raises(InputError, match="take no arterial input"):
        dce_perfusion.arterial_input(study, DceSettings(model="none"))


def test_delay_by_hand_of_one_study_goes_before_the_settings(scans):
    import dataclasses

    study = dataclasses.replace(inputs(scans[0], "before").dce, delay_s=1.5, masks={"l": scans[0].masks["lesion_1"]})
    result = dce_perfusion.run(study, DceSettings(descriptive=False, maps_of="regions", delay_s=4.0))
    assert (result.delay.seconds, result.delay.source) == (1.5, "by hand")
    assert result.settings.delay_s == 1.5


def test_a_found_artery_is_drawn_only_once_it_is_changed(scans, scene):
    found = dce_perfusion.arterial_input(inputs(scans[0], "before").dce)
    node = artery_to_node(found, "Artery", scene)
    assert drawn_artery(node) is None
    array = sitk.GetArrayFromImage(found.mask)
    array[array.nonzero()[0][0]] = 0
    changed = mrml.to_node({"aif": sitk.GetImageFromArray(array)}, "Artery")
    assert sitk.GetArrayFromImage(drawn_artery(changed)).sum() == array.sum()
    assert drawn_artery(None) is None


def test_times_go_in_and_out_as_text():
    assert times_as_text(np.arange(4) * 16.43) == "0:16.43"
    uneven = np.array([0.0, 1.5, 4.25])
    assert times_as_text(uneven) == "0, 1.5, 4.25"
    assert times_from_text("0, 1.5; 4.25", 3).tolist() == uneven.tolist()
    assert times_from_text("10:2.5", 3).tolist() == [10.0, 12.5, 15.0]
    with pytest.raises(InputError, match="START:STEP"):
        times_from_text("0:x", 3)


def test_live_values_are_those_of_the_job_where_nothing_was_drawn_anew(scans, scene):
    """Drawn at both dates: the live means are the job's (own grid: no sampling) to the rounding of a sum."""
    dates = [inputs(scan, name) for scan, name in zip(scans, ("before", "after"), strict=True)]
    result = run(ResponseInputs(dates), ResponseSettings(dce=DceSettings(descriptive=False)))
    nodes = mrml.ResultNodes(scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "owner"))
    response_to_nodes(result, nodes)
    live = LiveCurves(result, nodes)
    drawn = mrml.to_node(dict(dates[1].lesions), "drawn after")
    drawn.SetAndObserveTransformNodeID(nodes.get("anatomy.after").GetTransformNodeID())
    before = live.rows()
    assert live.update("after", drawn, ["lesion_1"]) == [("L01", "after")]
    for old, new in zip(before, live.rows(), strict=True):
        assert new["vp"] == pytest.approx(old["vp"], rel=1e-6)
    (row,) = [one for one in live.rows() if one["region"] == "L01" and one["date"] == "after"]
    call = result.vp_calls[1]["L01"]
    assert row["vp_change_percent"] == pytest.approx(call.values["vp_change_percent"], abs=1e-4)
    assert row["call"] == call.category
    assert live.update("after", drawn, ["no such segment"]) == []
