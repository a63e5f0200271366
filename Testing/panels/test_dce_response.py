"""DCE Response, clicked through from load to report: the scene against the library's job on the same files."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing import host

SETTINGS = {"dce": {"descriptive": False, "delay": "none"}}  # half of the time went into fitting the delay
CRITERION = {"before.vp": "9.26", "before.vp_reference": "1", "after.vp": "1.13", "after.vp_reference": "1"}


@dataclass
class Clicked:
    """The panel after the comparison, and what was seen on the way."""

    app: Any
    panel: Any
    folder: Path
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def chosen(self):
        return self.panel._parameterNode

    def node(self, role: str):
        return self.panel.logic.nodes().get(role)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """``before`` and ``after`` with DCE and T1 (three flip angles) in DICOM, and the lesion drawn before."""
    from bonequant.io import write_segmentation
    from bonequant.phantom import (
        simulate_spine,
        spine_follow_up,
        spine_preset,
        write_dynamic_series,
        write_mr_volume,
    )

    root = tmp_path_factory.mktemp("dce")
    before = simulate_spine(spine_preset("small", frames=30, vfa_deg=(2.0, 10.0, 25.0)))
    for name, scan in (("before", before), ("after", simulate_spine(spine_follow_up(before.settings)))):
        write_dynamic_series(scan.series, root / name / "DCE")
        for number, (angle, volume) in enumerate(scan.vfa.items()):
            write_mr_volume(volume, root / name / "T1" / f"{number}", name=f"FA {angle:g}", number=10 + number)
    write_segmentation({"lesion_1": before.masks["lesion_1"]}, root / "before" / "lesion.seg.nrrd")
    return root


@pytest.fixture(scope="module")
def clicked(files, tmp_path_factory):
    """Load both dates, find an input, type the treatment and a criterion, compare, write the report."""
    if host.missing():
        pytest.skip(host.missing())
    out = tmp_path_factory.mktemp("out")
    with host.application() as app:
        panel = app.open("DCEResponse")
        one = Clicked(app, panel, out)
        one.seen["tooltip at first"] = panel.ui.compareButton.toolTip
        for index, date in enumerate(("before", "after")):
            panel.ui.studyTabs.currentIndex = index
            panel.ui.folderButton.directory = str(files / date)
            panel.ui.loadButton.click()
        panel.pages["before"].ui.findButton.click()
        panel.ui.endLineEdit.text = "2024-03-20"
        panel.ui.doseSpinBox.value = 27
        panel.ui.fractionsSpinBox.value = 3
        panel.settingsForm.widget("dce.descriptive").checked = False
        panel.settingsForm.widget("dce.delay").currentText = "none"
        panel.criteria.choose("dce_vp")
        panel.criteria.type_cells(CRITERION)
        panel.ui.judgeButton.click()
        panel.ui.compareButton.click()
        panel.ui.outButton.directory = str(out)
        panel.ui.dicomCheckBox.checked = True
        panel.ui.reportButton.click()
        one.seen["errors"] = app.take_errors()
        yield one


def test_every_click_did_what_it_says(clicked):
    assert clicked.seen["errors"] == []
    assert "before therapy" in clicked.seen["tooltip at first"]
    assert clicked.panel.ui.compareButton.enabled
    assert clicked.chosen.beforeSequence.GetNumberOfDataNodes() == 30
    assert [clicked.chosen.beforeFlipAngles.GetNthIndexValue(index) for index in range(3)] == ["2.0", "10.0", "25.0"]
    assert json.loads(clicked.chosen.settings)["dce"]["descriptive"] is False


def test_table_and_maps_are_those_of_the_library_to_the_bit(clicked, files):
    from datetime import date

    from bonequant import mrml
    from bonequant.response import Radiotherapy
    from bonequant.studies import treatment_response as job

    dates = [job.read_date(files / name, name) for name in ("before", "after")]
    inputs = job.ResponseInputs(dates, Radiotherapy(date(2024, 3, 20), 27.0, 3))
    expected = job.run(inputs, job.ResponseSettings.from_dict(SETTINGS))
    rows = mrml.from_node(clicked.node("table.lesions"))
    assert [row["date"] for row in rows] == ["before", "after"]
    for row, truth in zip(rows, expected.rows, strict=True):
        for name in ("vp", "vp_normalised", "ktrans", "ktrans_reference"):
            assert row[name] == truth[name], name
    assert rows[1]["vp_change_percent"] == expected.rows[1]["vp_change_percent"]
    assert (rows[1]["call"], rows[1]["rule"]) == (expected.rows[1]["call"], expected.rows[1]["rule"])
    for name, study in zip(("before", "after"), expected.dce, strict=True):
        array = mrml.from_node(clicked.node(f"map.vp.{name}")).array
        assert np.array_equal(array, study.maps["vp"].array, equal_nan=True)


def test_maps_say_quantity_unit_and_window_and_lie_in_their_place(clicked):
    before, after = clicked.node("map.ktrans.before"), clicked.node("map.ktrans.after")
    assert before.GetVoxelValueQuantity().GetCodeMeaning() == "Ktrans"
    assert before.GetVoxelValueUnits().GetCodeValue() == "/min"
    windows = [(node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) for node in (before, after)]
    assert windows[0] == windows[1]
    assert before.GetParentTransformNode() is None
    assert after.GetParentTransformNode() is clicked.node("alignment.after")
    hierarchy = clicked.app.scene.GetSubjectHierarchyNode()
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(after))
    assert (hierarchy.GetItemName(folder), hierarchy.GetItemName(hierarchy.GetItemParent(folder))) == (
        "after",
        "DCE response",
    )


def test_the_call_and_the_typed_criterion_are_in_table_and_panel(clicked):
    from bonequant import mrml

    rows = mrml.from_node(clicked.node("table.calls"))
    assert {row["subject"] for row in rows} == {"L01 (lesion 1)", "patient", "typed 1"}
    assert all(row["category"] == "success" for row in rows)
    assert "success" in clicked.panel.ui.callLabel.text
    assert "Vp" in clicked.panel.ui.reasonsLabel.text


def test_views_show_both_dates_side_by_side_and_linked(clicked):
    import slicer

    manager = slicer.app.layoutManager()
    widgets = [manager.sliceWidget(name) for name in ("DCEBefore", "DCEAfter")]
    for date, widget in zip(("before", "after"), widgets, strict=True):
        composite = widget.mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == clicked.node(f"anatomy.{date}").GetID()
        assert composite.GetForegroundVolumeID() == clicked.node(f"map.vp.{date}").GetID()
        assert composite.GetLinkedControl()
    widgets[0].sliceLogic().StartSliceOffsetInteraction()
    widgets[0].sliceLogic().SetSliceOffset(6.0)
    widgets[0].sliceLogic().EndSliceOffsetInteraction()
    assert widgets[1].sliceLogic().GetSliceOffset() == pytest.approx(6.0)
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(clicked.node("map.vp.before"))
    assert legend.GetVisibility()
    display = clicked.chosen.beforeRegions.GetDisplayNode()
    assert display.IsDisplayableInView("vtkMRMLSliceNodeDCEBefore")
    assert not display.IsDisplayableInView("vtkMRMLSliceNodeDCEAfter")


def test_report_and_dicom_are_written(clicked):
    folder = clicked.folder / "dce_response"
    assert "success" in (folder / "report.html").read_text(encoding="utf-8")
    assert {path.name for path in (folder / "dicom" / "after").glob("*.dcm")} >= {
        "vp.dcm",
        "ktrans.dcm",
        "regions.dcm",
        "contours.dcm",
        "measurements.dcm",
    }


def test_input_is_shown_with_its_voxels_and_moves_with_the_slider(clicked):
    from bonequant import mrml

    assert clicked.chosen.beforeArtery.GetSegmentation().GetNumberOfSegments() == 1
    rows = mrml.from_node(clicked.node("table.input.before"))
    clicked.panel.pages["before"].ui.shiftSlider.value = 5.0
    shifted = mrml.from_node(clicked.node("table.input.before"))
    clicked.panel.pages["before"].ui.shiftSlider.value = 0.0
    values = [row["input"] for row in rows]
    # the frames are 5 s apart: the curve moves by one row
    assert [row["input, shifted"] for row in shifted][1:] == pytest.approx(values[:-1])
    assert clicked.panel.choices.study(clicked.chosen, "before").dce.aif_region is None  # as found: searched again


def test_found_artery_that_is_redrawn_counts_as_drawn(clicked):
    import SimpleITK as sitk
    from bonequant import mrml

    node, editor = clicked.chosen.beforeArtery, clicked.panel.ui.segmentEditor
    before = sitk.GetArrayFromImage(mrml.from_node(node)["aif"]).sum()
    clicked.panel.pages["before"].ui.redrawButton.click()
    assert editor.segmentationNode() is node
    assert editor.sourceVolumeNode() is clicked.node("rise.before")
    editor.erase(node.GetSegmentCenterRAS("aif"), 20.0)
    region = clicked.panel.choices.study(clicked.chosen, "before").dce.aif_region
    assert 0 < sitk.GetArrayFromImage(region).sum() < before
    clicked.panel._checkCanApply()
    assert "by hand" in clicked.panel.pages["before"].ui.arteryLabel.text


def test_curves_and_values_follow_the_drawing_at_both_dates(clicked):
    """A dab of healthy marrow into the lesion: its Vp falls at once, there and where it is carried."""
    from bonequant import mrml

    clicked.panel.ui.editComboBox.currentIndex = 0
    regions, editor = clicked.chosen.beforeRegions, clicked.panel.ui.segmentEditor
    editor.setCurrentSegmentID("lesion_1")
    x, y, z = regions.GetSegmentCenterRAS("lesion_1")
    curves = mrml.from_node(clicked.node("table.curves"))
    editor.paint((x, y, z - 14.0), 14.0)
    clicked.app.process(400)
    live = {row["date"]: row for row in mrml.from_node(clicked.node("table.live")) if row["region"] == "L01"}
    table = {row["date"]: row for row in mrml.from_node(clicked.node("table.lesions"))}
    assert live["before"]["vp"] < 0.95 * table["before"]["vp"]
    assert live["before"]["volume_ml"] == pytest.approx(mrml.measure_segments(
        clicked.node("anatomy.before"), regions)["lesion_1"].volume_ml)  # fmt: skip
    now = mrml.from_node(clicked.node("table.curves"))
    assert now[10]["L01 before"] != curves[10]["L01 before"]
    assert now[10]["L01 after"] != curves[10]["L01 after"]
    assert now[10]["L01 reference before"] == curves[10]["L01 reference before"]
    assert "Compare again" in clicked.panel.ui.reasonsLabel.text


def test_a_click_on_live_or_legend_does_what_the_box_then_says(clicked):
    """Qt tells of the click before the parameter node has it."""
    import slicer

    live, legend = clicked.panel.ui.liveCheckBox, clicked.panel.ui.legendCheckBox
    for on in (False, True):
        live.click()
        assert (live.checked, clicked.chosen.live, clicked.panel.drawing.live.propagation is not None) == (on, on, on)
        legend.click()
        shown = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(clicked.node("map.vp.before"))
        assert (legend.checked, clicked.chosen.legend, shown is not None and bool(shown.GetVisibility())) == (on,) * 3


def test_an_adjusted_carried_outline_counts_as_drawn_at_the_later_date(clicked):
    assert clicked.panel.choices.study(clicked.chosen, "after").lesions == {}
    clicked.panel.ui.editComboBox.currentIndex = 1
    carried, editor = clicked.node("carried.after"), clicked.panel.ui.segmentEditor
    assert editor.segmentationNode() is carried
    editor.setCurrentSegmentID("lesion_1")
    editor.erase(carried.GetSegmentCenterRAS("lesion_1"), 8.0)
    clicked.app.process(300)
    assert list(clicked.panel.choices.study(clicked.chosen, "after").lesions) == ["lesion_1"]


REOPEN = """
import sys
from Testing import host
with host.application() as app:
    app.scene.SetURL(sys.argv[1])
    assert app.scene.Connect()
    app.process()
    panel = app.open("DCEResponse")
    chosen, nodes = panel._parameterNode, panel.logic.nodes()
    assert chosen.beforeSequence.GetName() == "DCE before", chosen.beforeSequence
    assert chosen.afterSequence.GetNumberOfDataNodes() == 30
    assert chosen.radiotherapyEnd == "2024-03-20" and chosen.doseGy == 27.0 and chosen.fractions == 3
    assert chosen.beforeArtery.GetSegmentation().GetSegment("aif") is not None
    assert chosen.beforeRegions.GetSegmentation().GetSegment("lesion_1") is not None
    assert nodes.get("map.vp.after").GetParentTransformNode() is nodes.get("alignment.after")
    assert nodes.get("chart.curves").GetNumberOfPlotSeriesNodes() == 8
    assert nodes.get("chart.curves").GetNthPlotSeriesNode(0).GetTableNode() is nodes.get("table.curves")
    assert "success" in panel.ui.callLabel.text
    assert "success" in panel.ui.judgedLabel.text
    assert [panel.ui.mapComboBox.itemText(i) for i in range(panel.ui.mapComboBox.count)].count("vp") == 1
    assert not panel.settingsForm.widget("dce.descriptive").checked
    assert panel.pages["before"].ui.timesLineEdit.text == "0:5"
    assert "Saved with the scene" in panel.ui.reasonsLabel.text
    assert panel.ui.reportButton.enabled and "Compare again" in panel.ui.reportButton.toolTip
    study = panel.choices.study(chosen, "before")
    assert study.dce.series.times_s[-1] == 145.0 and study.dce.aif_region is not None
    assert list(panel.choices.study(chosen, "after").lesions) == ["lesion_1"]
    panel.ui.layoutButton.click()
    from bonequant import mrml
    saved = mrml.from_node(nodes.get("table.lesions"))
    panel.ui.dicomCheckBox.checked = False
    panel.ui.reportButton.click()
    assert app.take_errors() == []
    assert (chosen.outFolder / "dce_response_2" / "report.html").is_file()
    now = mrml.from_node(nodes.get("table.lesions"))  # at the date that was drawn anew since, numbers are new too
    assert now[0]["lesion"] == saved[0]["lesion"] and "Saved with" not in panel.ui.reasonsLabel.text
"""


def test_scene_saved_and_reopened_in_a_fresh_process(clicked, tmp_path):
    from bonequant import mrml

    mrml.save_scene(clicked.app.scene, tmp_path / "dce.mrb")
    with zipfile.ZipFile(tmp_path / "dce.mrb") as archive:
        archive.extractall(tmp_path)
    (scene,) = (tmp_path / "dce").glob("*.mrml")
    done = subprocess.run(
        [sys.executable, "-c", REOPEN, str(scene)], check=False, capture_output=True, text=True, cwd=host.ROOT
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_another_series_lets_go_of_what_was_carried_onto_the_former(clicked):
    """Last of those that share the panel: outlines of one scan must not count as drawn on another."""
    clicked.panel.pages["after"].ui.sequenceSelector.setCurrentNode(clicked.chosen.beforeSequence)
    clicked.panel.ui.editComboBox.currentIndex = 0
    clicked.panel.ui.editComboBox.currentIndex = 1
    assert clicked.node("carried.after") is None
    assert clicked.node("anatomy.after").GetParentTransformNode() is None
    assert clicked.panel.choices.study(clicked.chosen, "after").lesions == {}
    assert clicked.app.take_errors() == []
