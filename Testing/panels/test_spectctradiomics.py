"""The SPECT/CT radiomics panel, clicked through from two images to the results folder; what is asked is the scene."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from Testing.panels import lesion_scene as demo


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    demo.write_images(folder)
    return folder


@pytest.fixture
def panel(app, files):
    """The panel with both images chosen and one lesion drawn on the SPECT."""
    ct, spect = demo.load_nodes(files)
    panel = app.open("SPECTCTRadiomics")
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    panel.chosen.settings = demo.FAST.to_json()
    panel.ui.addButton.click()
    demo.draw(app, panel)
    return panel


def node(app, name):
    found = app.scene.GetFirstNodeByName(name)
    assert found is not None, name
    return found


def carried(app):
    return node(app, "Lesions on CT")


def count(segmentation, lesion="lesion_1"):
    from bonequant.mrml.patches import patch_of

    return int(patch_of(segmentation, lesion).voxels.sum())


def test_a_stroke_on_the_spect_is_on_the_ct_at_once_and_its_numbers_in_the_list(app, panel):
    from bonequant import mrml

    before = count(carried(app))
    demo.draw(app, panel, (6.0, 6.0, 0.0), 12.0)
    assert count(carried(app)) > before > 0
    (row,) = mrml.from_node(node(app, "Lesions: list"))
    spect, ct = (mrml.measure_segments(node(app, name), node(app, segments))["lesion_1"]
                 for name, segments in (("SPECT", "Lesions"), ("CT", "Lesions on CT")))  # fmt: skip
    assert (row["functional_mean"], row["ct_mean"], row["volume_ml"]) == (spect.mean, ct.mean, spect.volume_ml)
    assert row["copy"] == "carried"


def test_an_adjusted_copy_is_marked_and_measured_until_it_follows_again(app, panel):
    from bonequant import mrml

    panel.ui.editBox.currentIndex = 1
    assert panel.ui.segmentEditor.segmentationNode() is carried(app)
    panel.ui.segmentEditor.erase((6.0, 0.0, 0.0), 12.0)
    app.process(120)
    adjusted = count(carried(app))
    (row,) = mrml.from_node(node(app, "Lesions: list"))
    assert row["copy"] == "adjusted"
    panel.ui.editBox.currentIndex = 0
    demo.draw(app, panel, (0.0, 8.0, 0.0), 12.0)
    assert count(carried(app)) == adjusted
    panel.ui.measureButton.click()
    rows = mrml.from_node(node(app, "Lesions radiomics: lesions"))
    assert {row["image"]: row["roi"] for row in rows} == {"CT": "adjusted", "SPECT": "drawn"}
    panel.ui.followButton.click()
    app.process(120)
    assert count(carried(app)) > adjusted
    (row,) = mrml.from_node(node(app, "Lesions: list"))
    assert row["copy"] == "carried"


def test_the_selected_lesion_stays_when_its_copy_is_edited_and_when_the_panel_is_left(app, panel):
    """Slicer's editor selects the first segment of whatever it is given: that is no choice of the user."""
    panel.ui.addButton.click()
    demo.draw(app, panel, (8.0, 8.0, 0.0), 14.0)
    assert panel.chosen.lesion == "lesion_2"
    panel.ui.editBox.currentIndex = 1
    assert (panel.chosen.lesion, panel.ui.segmentEditor.currentSegmentID()) == ("lesion_2", "lesion_2")
    app.leave()
    app.open("SPECTCTRadiomics")
    assert (panel.chosen.lesion, panel.ui.segmentEditor.currentSegmentID()) == ("lesion_2", "lesion_2")
    panel.ui.segmentEditor._table.setSelectedSegmentIDs(["lesion_1"])  # a click in the editor's own table
    assert panel.chosen.lesion == "lesion_1"


def test_copies_follow_again_after_their_segmentation_was_deleted(app, panel):
    app.scene.RemoveNode(carried(app))
    panel.refresh()
    demo.draw(app, panel, (6.0, 0.0, 0.0), 14.0)
    assert count(carried(app)) > 0


def test_lesions_are_drawn_on_the_ct_and_carried_to_the_spect_as_well(app, files):
    ct, spect = demo.load_nodes(files)
    panel = app.open("SPECTCTRadiomics")
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    panel.ui.drawOnBox.currentIndex = 1
    panel.ui.addButton.click()
    demo.draw(app, panel)
    assert count(node(app, "Lesions on SPECT")) > 0
    assert panel.ui.segmentEditor.sourceVolumeNode() is ct


def test_features_of_the_panel_are_those_of_the_job_on_the_same_files_to_the_bit(app, panel, files, tmp_path):
    import numpy as np
    from bonequant import mrml
    from bonequant.io import write_segmentation
    from bonequant.studies import lesion_radiomics as job

    panel.ui.addButton.click()
    demo.draw(app, panel, (8.0, 8.0, 0.0), 14.0)
    panel.ui.measureButton.click()
    drawn = write_segmentation(mrml.from_node(node(app, "Lesions")), tmp_path / "lesions.seg.nrrd")
    inputs = job.read_inputs(files / "spect.nrrd", files / "ct.nrrd", [drawn], mask_on="spect")
    wide = {row["lesion_id"]: row for row in job.wide_rows(job.run(inputs, demo.FAST))}
    assert list(wide) == ["lesion_1", "lesion_2"]
    for index, lesion in enumerate(wide):
        panel.ui.lesionTable.selectRow(index)
        rows = mrml.from_node(node(app, f"Lesions radiomics: features of {lesion}"))
        assert len(rows) == 279
        for image in ("CT", "SPECT"):
            expected = [wide[lesion][f"{image}:{row['feature']}"] for row in rows]
            assert np.array_equal([row[image] for row in rows], expected, equal_nan=True)


def test_from_the_drawing_to_the_results_folder(app, panel, tmp_path):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.ui.patientEdit.text = "P001"
    panel.ui.levelEdit.text = "L3"
    panel.ui.levelEdit.editingFinished.emit()
    panel.ui.addButton.click()
    demo.draw(app, panel, (-8.0, 8.0, 0.0), 14.0)
    panel.ui.measureButton.click()
    panel.ui.lesionTable.selectRow(0)

    panel.ui.mapBox.setEditText("original_firstorder_Mean")
    panel.ui.mapButton.click()
    overlay = node(app, "SPECT original_firstorder_Mean")
    assert not overlay.GetDisplayNode().GetInterpolate()  # NaN around the lesion would eat its rim
    view = app.scene.GetNodeByID("vtkMRMLSliceCompositeNodeBoneQuantFunctional")
    assert view.GetForegroundVolumeID() == overlay.GetID()

    record = panel.chosen.record
    panel.ui.modelPathEdit.currentPath = str(demo.write_model(record_from_node(record), tmp_path / "model.json"))
    panel.ui.predictButton.click()
    predictions = mrml.from_node(node(app, "Lesions radiomics: model combined"))
    assert predictions[0]["probability"] == pytest.approx(0.8, abs=1e-9)
    parts = mrml.from_node(node(app, "Lesions radiomics: contributions, lesion_1"))
    assert [row["feature"] for row in parts] == ["CT:Mean", "SPECT:Mean", "intercept"]
    assert app.scene.GetFirstNode("Lesions radiomics: contributions", "vtkMRMLPlotChartNode") is not None

    for row, grades in enumerate(((5, 5), (2, 3))):
        panel.ui.lesionTable.selectRow(row)
        panel.ui.readerBox.currentIndex, panel.ui.secondReaderBox.currentIndex = grades
    panel.ui.kappaButton.click()
    assert "2 lesions" in panel.ui.kappaLabel.text

    panel.ui.folderButton.directory = str(tmp_path)
    panel.ui.reportButton.click()
    written = {path.name for path in (tmp_path / "lesion_radiomics").iterdir()}
    assert {"report.html", "result.json", "features.csv", "lesions.csv", "maps", "regions_on_ct.seg.nrrd"} <= written
    with open(tmp_path / "lesion_radiomics" / "lesions.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["patient_id"], row["lesion_id"], row["level"]) for row in rows] == [
        ("P001", "lesion_1", "L3"),
        ("P001", "lesion_2", ""),
    ]


def test_registered_spect_takes_its_lesions_along_and_undo_brings_both_back(app, panel):
    spect, lesions = node(app, "SPECT"), node(app, "Lesions")
    panel.ui.alignButton.click()
    assert spect.GetTransformNodeID()
    assert lesions.GetTransformNodeID() == spect.GetTransformNodeID()
    assert count(carried(app)) > 0
    panel.ui.undoButton.click()
    assert (spect.GetTransformNodeID(), lesions.GetTransformNodeID()) == (None, None)
    assert not panel.ui.undoButton.enabled


def test_buttons_that_cannot_be_pressed_say_why(app):
    panel = app.open("SPECTCTRadiomics")
    wanted = {"measureButton": "Select a CT", "addButton": "Select a CT", "alignButton": "Select both",
              "mapButton": "Measure", "predictButton": "Measure", "kappaButton": "Draw or select",
              "reportButton": "Measure"}  # fmt: skip
    for name, reason in wanted.items():
        button = getattr(panel.ui, name)
        assert not button.enabled, name
        assert button.toolTip.startswith(reason), name


def test_measuring_without_a_drawn_lesion_is_an_error_that_names_the_way_out(app, files):
    from bonequant.errors import InputError

    ct, spect = demo.load_nodes(files)
    panel = app.open("SPECTCTRadiomics")
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    panel.ui.addButton.click()
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert isinstance(error, InputError)
    assert "Nothing is drawn in segmentation 'Lesions'" in str(error)
    assert panel.chosen.record is None


def test_exchanged_images_are_an_error_that_says_so(app, files):
    ct, spect = demo.load_nodes(files)
    panel = app.open("SPECTCTRadiomics")
    panel.ui.ctSelector.setCurrentNode(spect)
    panel.ui.functionalSelector.setCurrentNode(ct)
    panel.ui.addButton.click()
    demo.draw(app, panel)
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "CT" in str(error) and "NM" in str(error)
    assert panel.chosen.record is None


def test_lesions_that_lie_elsewhere_are_told_and_not_measured(app, panel):
    """A stray transform above the segmentation alone: where the lesions belong cannot be known."""
    import SimpleITK as sitk
    from bonequant import mrml

    astray = mrml.to_node(sitk.TranslationTransform(3, (50.0, 0.0, 0.0)), "astray")
    lesions = panel.chosen.lesions
    panel.chosen.lesions = None
    lesions.SetAndObserveTransformNodeID(astray.GetID())
    panel.chosen.lesions = lesions
    assert "under another transform" in panel.ui.lesionsNote.text
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "put it under that of the volume" in str(error)
    assert panel.chosen.record is None


def test_cancelled_measurement_changes_nothing_and_can_be_repeated(app, panel):
    import qt

    nodes = app.scene.GetNumberOfNodes()
    qt.QTimer.singleShot(0, panel.work.cancel)
    panel.chosen.settings = ""  # all features, redrawn by machine: seconds of work
    panel.ui.measureButton.click()
    assert panel.chosen.record is None
    assert app.scene.GetNumberOfNodes() == nodes
    panel.chosen.settings = demo.FAST.to_json()
    panel.ui.measureButton.click()
    assert panel.chosen.record is not None


def test_models_that_cannot_be_used_are_refused_with_the_reason(app, panel, tmp_path):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.ui.measureButton.click()
    record = record_from_node(panel.chosen.record)
    other = {**record, "recipes": {**record["recipes"], "CT": {"unit": "HU", "plane": "coronal"}}}
    panel.ui.modelPathEdit.currentPath = str(demo.write_model(other, tmp_path / "other.json"))
    panel.ui.predictButton.click()
    (row,) = mrml.from_node(node(app, "Lesions radiomics: model combined"))
    assert row["call"] == "refused"
    assert "plane" in row["remarks"]
    (tmp_path / "broken.json").write_text("{}")
    panel.ui.modelPathEdit.currentPath = str(tmp_path / "broken.json")
    panel.ui.predictButton.click()
    (error,) = app.take_errors()
    assert "broken.json" in str(error)
    panel.ui.kappaButton.click()
    (error,) = app.take_errors()
    assert "two lesions" in str(error)


def test_a_measurement_is_never_shown_for_other_lesions_nor_written_over_by_theirs(app, panel, files):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.ui.measureButton.click()
    first, former = panel.chosen.record, panel.chosen.record.GetText()
    ct, spect = demo.load_nodes(files)
    panel.chosen.lesions = None
    assert panel.chosen.record is None
    assert not panel.ui.reportButton.enabled
    sections = node(app, "Lesions radiomics: sections on CT").GetDisplayNode()
    assert not sections.GetVisibility()
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    panel.ui.addButton.click()
    demo.draw(app, panel, (6.0, 6.0, 0.0), 12.0)
    panel.ui.measureButton.click()
    assert panel.chosen.record is not first
    assert first.GetText() == former
    assert not sections.GetVisibility()
    again = record_from_node(panel.chosen.record)["lesions"]["lesion_1"]["features"]
    assert again["SPECT:Mean"] != record_from_node(first)["lesions"]["lesion_1"]["features"]["SPECT:Mean"]
    panel.ui.functionalSelector.setCurrentNode(mrml.to_node(mrml.from_node(spect), "other SPECT"))
    assert "Measured on other images" in panel.ui.featuresNote.text


def test_a_new_measurement_drops_what_was_made_of_the_former_one(app, panel, tmp_path):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.ui.measureButton.click()
    record = panel.chosen.record
    panel.ui.modelPathEdit.currentPath = str(demo.write_model(record_from_node(record), tmp_path / "model.json"))
    panel.ui.predictButton.click()
    panel.ui.mapBox.setEditText("original_firstorder_Mean")
    panel.ui.mapButton.click()
    names = ("Lesions radiomics: model combined", "Lesions radiomics: contributions", "SPECT original_firstorder_Mean")
    for name in names:
        node(app, name)
    demo.draw(app, panel, (8.0, 0.0, 0.0), 16.0)
    panel.ui.measureButton.click()
    assert panel.chosen.record is record
    assert [name for name in names if app.scene.GetFirstNodeByName(name) is not None] == []
    assert panel.ui.predictionLabel.text == ""
    panel.chosen.compareWith = type(panel.chosen.compareWith).MODEL
    assert not panel.ui.kappaButton.enabled
    panel.ui.predictButton.click()
    (row,) = mrml.from_node(node(app, "Lesions radiomics: model combined"))
    assert row["probability"] != pytest.approx(0.8, abs=1e-3)


def test_a_measurement_that_ends_while_another_module_is_shown_is_kept(app, panel):
    import qt

    chosen = panel.chosen
    qt.QTimer.singleShot(0, app.leave)
    panel.ui.measureButton.click()
    assert panel.chosen is None
    assert chosen.record is not None


def test_settings_of_a_model_are_taken_and_it_accepts_the_features(app, panel, tmp_path):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.chosen.settings = demo.FAST.from_dict({**demo.FAST.to_dict(), "plane": "coronal"}).to_json()
    panel.ui.measureButton.click()
    model = demo.write_model(record_from_node(panel.chosen.record), tmp_path / "model.json")
    panel.chosen.settings = demo.FAST.to_json()
    assert panel.ui.likeButton.toolTip.startswith("Choose a model file")
    panel.ui.modelPathEdit.currentPath = str(model)
    panel.ui.likeButton.click()
    assert panel.features.settings().plane == "coronal"
    panel.ui.measureButton.click()
    panel.ui.predictButton.click()
    (row,) = mrml.from_node(node(app, "Lesions radiomics: model combined"))
    assert row["probability"] == pytest.approx(0.8, abs=1e-9)


def test_settings_of_the_form_reach_the_result_and_wrong_ones_do_not(app, panel):
    plane = panel.features.forms[0].widget("plane")
    plane.currentIndex = plane.findText("coronal")
    panel.ui.measureButton.click()
    assert panel.logic.result(panel.chosen.record).settings.plane == "coronal"
    line = panel.features.forms[1].widget("map_radius")
    line.text = "99"
    line.editingFinished.emit()
    assert demo.FAST.from_json(panel.chosen.settings).map_radius == 1


def test_two_parameter_sets_do_not_mix(app, panel, files):
    from SPECTCTRadiomics import SPECTCTRadiomicsParameterNode as Parameters

    first = panel.chosen
    panel.ui.measureButton.click()
    second = Parameters(app.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "second"))
    panel.setParameterNode(second)
    assert (second.ctVolume, second.lesions, second.record, second.lesion) == (None, None, None, "")
    ct, spect = demo.load_nodes(files)
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    second.settings = demo.FAST.to_json()
    before = count(first.lesions)
    panel.ui.addButton.click()
    demo.draw(app, panel, (6.0, 0.0, 0.0), 14.0)
    panel.ui.measureButton.click()
    assert count(first.lesions) == before != count(second.lesions)
    assert second.record is not first.record
    panel.setParameterNode(first)
    assert panel.ui.lesionsSelector.currentNode() is first.lesions
    assert panel.ui.segmentEditor.segmentationNode() is first.lesions


def test_closing_the_scene_leaves_no_observer_and_the_panel_works_on(app, panel, files):
    from Testing.host.observers import observed

    panel.ui.measureButton.click()
    app.leave()
    left = observed(app.scene)
    assert {key for key in left if "Segmentation" in key} == set()
    app.open("SPECTCTRadiomics")
    app.close_scene()
    assert panel.logic.result(panel.chosen.record) is None
    ct, spect = demo.load_nodes(files)
    panel.ui.ctSelector.setCurrentNode(ct)
    panel.ui.functionalSelector.setCurrentNode(spect)
    panel.ui.addButton.click()
    demo.draw(app, panel)
    assert count(carried(app)) > 0


REOPEN = """
import json, sys
sys.path[:0] = [{root!r}, {core!r}]
from Testing import host
with host.application() as app:
    import slicer
    from bonequant import mrml
    slicer.mrmlScene.SetURL({scene!r}); assert slicer.mrmlScene.Import()
    panel = app.open("SPECTCTRadiomics")
    chosen = panel.chosen
    found = panel.logic.predict(chosen.record, {model!r})
    before = len(mrml.from_node(app.scene.GetFirstNodeByName("Lesions: list")))
    panel.ui.segmentEditor.paint((6.0, 6.0, 0.0), 14.0)
    app.process(80)
    (row,) = mrml.from_node(app.scene.GetFirstNodeByName("Lesions: list"))
    print("FOUND", json.dumps(dict(
        images=[chosen.ctVolume.GetName(), chosen.functionalVolume.GetName()], patient=chosen.patient,
        lesions=chosen.lesions.GetName(), lesion=chosen.lesion, plane=json.loads(chosen.settings)["plane"],
        rows=mrml.from_node(chosen.record.GetNodeReference("BoneQuant.Selected"))[0]["feature"],
        chart=chosen.record.GetNodeReference("BoneQuant.Contributions.Chart").GetName(),
        probability=found["lesion_1"].probability, level=row["level"], copy=row["copy"], volume=row["volume_ml"],
        reader=panel.ui.readerBox.currentText, report=panel.ui.reportButton.toolTip)))
"""


def test_saved_scene_comes_back_in_a_new_process_and_goes_on(app, panel, root, tmp_path):
    from bonequant import mrml
    from bonequant.mrml.lesion_record import record_from_node

    panel.ui.patientEdit.text = "P001"
    panel.ui.levelEdit.text = "L3"
    panel.ui.levelEdit.editingFinished.emit()
    panel.ui.readerBox.currentIndex = 4
    panel.ui.measureButton.click()
    model = demo.write_model(record_from_node(panel.chosen.record), tmp_path / "model.json")
    panel.ui.modelPathEdit.currentPath = str(model)
    panel.ui.predictButton.click()
    (row,) = mrml.from_node(node(app, "Lesions: list"))
    (tmp_path / "saved").mkdir()
    assert app.scene.SaveSceneToSlicerDataBundleDirectory(str(tmp_path / "saved"))
    (scene,) = (tmp_path / "saved").glob("*.mrml")
    code = REOPEN.format(root=str(root), core=str(root / "BoneQuantCore"), scene=str(scene), model=str(model))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND")] or [done.stderr]
    found = json.loads(line.removeprefix("FOUND "))
    assert found.pop("volume") > row["volume_ml"]
    assert found.pop("probability") == pytest.approx(0.8, abs=1e-9)  # features are kept in full, not as tables are
    assert found.pop("report").startswith("Measure")
    assert found == {
        "images": ["CT", "SPECT"],
        "patient": "P001",
        "lesions": "Lesions",
        "lesion": "lesion_1",
        "plane": "axial",
        "rows": "Mean",
        "chart": "Lesions radiomics: contributions",
        "level": "L3",
        "copy": "carried",
        "reader": "4 probably malignant",
    }


def test_a_scene_saved_in_the_layout_opens_in_it_before_the_panel_is_opened(app):
    from SPECTCTRadiomicsLib.paired_views import LAYOUT, VIEWS

    manager = app.application.layoutManager()
    assert manager.layoutLogic().GetLayoutNode().IsLayoutDescription(LAYOUT)
    manager.setLayout(LAYOUT)
    assert set(VIEWS.values()) <= set(manager.sliceViewNames())


def test_a_scene_that_is_loaded_under_the_open_panel_goes_on(app, panel, tmp_path):
    import slicer

    panel.ui.addButton.click()
    demo.draw(app, panel, (8.0, 8.0, 0.0), 14.0)
    panel.ui.measureButton.click()
    (tmp_path / "saved").mkdir()
    assert app.scene.SaveSceneToSlicerDataBundleDirectory(str(tmp_path / "saved"))
    app.close_scene()
    assert panel.chosen.lesions is None
    (scene,) = (tmp_path / "saved").glob("*.mrml")
    slicer.mrmlScene.SetURL(str(scene))
    assert slicer.mrmlScene.Import()
    app.process(120)
    assert app.errors == []
    assert (panel.chosen.lesions.GetName(), panel.chosen.lesion) == ("Lesions", "lesion_2")
    assert panel.ui.segmentEditor.segmentationNode() is panel.chosen.lesions
    before = count(carried(app), "lesion_2")
    demo.draw(app, panel, (8.0, 0.0, 0.0), 12.0)
    assert count(carried(app), "lesion_2") > before > 0


def test_console_lines_of_the_tutorial_do_what_they_say(app, panel, root, tmp_path, monkeypatch):
    import re

    import slicer
    from bonequant.mrml.lesion_record import record_from_node

    text = (root / "Docs" / "tutorial" / "spectct_radiomics.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert code.strip() in slicer.modules.spectctradiomics.helpText
    panel.chosen.settings = ""  # the console measures with the defaults, as the command line does
    panel.ui.measureButton.click()
    demo.write_model(record_from_node(panel.chosen.record), tmp_path / "model.json")
    monkeypatch.chdir(tmp_path)
    names = {"getNode": slicer.util.getNode}
    exec(code, names)
    assert names["table"].GetNumberOfRows() > 279
    assert names["found"]["lesion_1"].probability == pytest.approx(0.8, abs=1e-9)
    assert names["report"].is_file()


def test_demo_data_is_measured_and_judged_by_a_model_trained_on_the_same_settings(app, monkeypatch):
    """The demo on coarser grids: its lesions lie on the SPECT once it is registered, and the demo model takes them."""
    from bonequant import mrml
    from bonequant.phantom import preset
    from SPECTCTRadiomicsLib import demo as shown

    monkeypatch.setattr(shown, "patient_settings", lambda: preset("small", seed=1))
    monkeypatch.setattr(shown, "_COHORT", 36)
    panel = app.open("SPECTCTRadiomics")
    panel.chosen.settings = demo.FAST.to_json()
    panel.ui.demoButton.click()
    before = {row["lesion"]: row["functional_mean"] for row in mrml.from_node(node(app, "Lesions: list"))}
    panel.ui.alignButton.click()
    app.process(120)
    after = {row["lesion"]: row["functional_mean"] for row in mrml.from_node(node(app, "Lesions: list"))}
    assert len(after) == 6
    assert sum(after.values()) > 1.15 * sum(before.values())  # 12.8 mm apart before, hot lesions of 15 to 27 mm
    panel.ui.measureButton.click()
    panel.ui.demoModelButton.click()
    panel.ui.predictButton.click()
    rows = mrml.from_node(node(app, "Lesions radiomics: model combined"))
    judged = [row for row in rows if row["call"] != "refused"]
    assert len(rows) == 6
    assert judged
    assert all(0.0 <= row["probability"] <= 1.0 for row in judged)
