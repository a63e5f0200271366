"""BoneMarrowPerfusion clicked through on a simulated patient, and off the path; asked of the scene, not of widgets."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import SimpleITK as sitk

TRACER = 1  # mdp, in the list of tracers


@pytest.fixture(scope="module")
def patient():
    from bonequant.phantom import preset, simulate_patient

    return simulate_patient(preset("small", seed=1))


@pytest.fixture(scope="module")
def folder(patient, tmp_path_factory):
    """SPECT and CT as DICOM."""
    from bonequant.phantom import write_patient

    path = tmp_path_factory.mktemp("patient")
    write_patient(patient, path)
    return path


@pytest.fixture(scope="module")
def by_command(folder, patient, tmp_path_factory):
    """Results folder of the command line on the same files."""
    from bonequant.cli.app import app
    from typer.testing import CliRunner

    out = tmp_path_factory.mktemp("command") / "out"
    factor = repr(patient.spect.acquisition.calibration_factor_cps_per_mbq)
    images = ["--spect", str(folder / "SPECT"), "--ct", str(folder / "CT"), "--out", str(out)]
    words = ["marrow", *images, "--fact", f"calibration_factor_cps_per_mbq={factor}", "--set", "tracer=mdp"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out


def rows_of(node):
    """Rows of a table node by region."""
    from bonequant import mrml

    return {row["region"]: row for row in mrml.rows_from_node(node)}


def assert_same(rows, expected):
    """Equal to the bit; a column without any value is text in a table node, one with some holds NaN for the others."""
    assert list(rows) == [row["region"] for row in expected]
    for row in expected:
        for name, value in row.items():
            shown = rows[row["region"]][name]
            missing = value is None and (shown == "" or math.isnan(shown))
            assert missing or shown == (str(value) if isinstance(value, bool) else value), (
                row["region"],
                name,
                shown,
                value,
            )


def drawn(scene, unit="SUVbw", value=3.0, name="SPECT"):
    """A small volume of one value and a segmentation of 1 mL in it."""
    from bonequant import mrml
    from bonequant.volume import Volume

    image = sitk.Image(20, 20, 20, sitk.sitkFloat32) + value
    mask = sitk.Image(20, 20, 20, sitk.sitkUInt8)
    mask[5:15, 5:15, 5:15] = 1
    return mrml.to_node(Volume(image, "NM", unit), name), mrml.to_node({"marrow": mask}, f"Regions {name}")


def test_from_load_to_report(app, folder, patient, by_command, tmp_path):
    """Load, type what DICOM cannot hold, register, undo, register, find, measure, edit, measure, report.

    The panel's numbers, its map and its alignment are those of the command line, to the bit.
    """
    import qt
    from bonequant import mrml

    measured = json.loads((by_command / "result.json").read_text())

    panel = app.open("BoneMarrowPerfusion")
    ui, chosen, tab = panel.ui, panel.chosen, panel.tabs[0]
    assert not ui.measureButton.enabled
    assert "Select" in ui.measureButton.toolTip
    assert ui.loadFolderButton.directory == qt.QDir.homePath()
    ui.loadFolderButton.directory = str(folder)
    ui.loadButton.click()
    spect = chosen.functionalVolume
    line = tab.facts.line("calibration_factor_cps_per_mbq")
    line.text = repr(patient.spect.acquisition.calibration_factor_cps_per_mbq)
    line.editingFinished.emit()
    tab.forms[0].widget("tracer").currentIndex = TRACER

    ui.registerButton.click()
    first = spect.GetParentTransformNode()
    assert first is not None
    assert measured["alignment"]["text"] in ui.qualityLabel.text
    ui.undoButton.click()
    assert spect.GetParentTransformNode() is None
    assert not app.scene.IsNodePresent(first)
    ui.registerButton.click()
    ui.fusionSlider.value = 30
    composite = app.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()) == (spect.GetID(), 0.3)

    ui.regionsButton.click()
    segments = chosen.regions.GetSegmentation()
    names = {segments.GetNthSegment(index).GetName() for index in range(segments.GetNumberOfSegments())}
    assert {"marrow", "bone", "L1", "red_marrow"} <= names
    ui.measureButton.click()
    nodes = panel.logic.marrowNodes(spect)
    assert_same(rows_of(nodes["tables"]["regions"]), measured["regions"])
    assert {"regions", "vertebrae", "histogram"} <= set(nodes["charts"])
    suv = nodes["maps"]["suv"]
    assert (suv.GetVoxelValueUnits().GetCodeValue(), suv.GetParentTransformNode()) == (
        "g/ml{SUVbw}",
        spect.GetParentTransformNode(),
    )
    assert (mrml.from_node(suv).array == sitk.GetArrayFromImage(sitk.ReadImage(by_command / "maps" / "suv.nrrd"))).all()
    assert app.scene.GetFirstNodeByClass("vtkMRMLColorLegendDisplayNode").GetVisibility()
    ui.histogramChartButton.click()
    plot = app.scene.GetFirstNodeByClass("vtkMRMLPlotViewNode")
    assert plot.GetPlotChartNode() is nodes["charts"]["histogram"]

    before = rows_of(nodes["tables"]["regions"])
    ui.segmentEditor.setCurrentSegmentID("L3")
    ui.segmentEditor.erase(centre_of(chosen.regions, "L3"), 15.0)
    app.process(200)
    live = rows_of(nodes["tables"]["regions"])
    assert live["L3"]["origin"] == "drawn"
    assert live["L3"]["volume_ml"] < before["L3"]["volume_ml"] - 0.5
    assert live["L4"] == before["L4"]
    assert rows_of(nodes["tables"]["vertebrae"])["L3"] == live["L3"]
    ui.measureButton.click()
    again = rows_of(nodes["tables"]["regions"])
    assert again["L3"]["origin"] == "drawn"
    # The same voxels summed in another order: cropped while drawing, on the CT's whole grid in the job.
    assert again["L3"]["mean"] == pytest.approx(live["L3"]["mean"], rel=1e-9)
    assert again["L3"]["volume_ml"] == pytest.approx(live["L3"]["volume_ml"], rel=1e-12)

    ui.marrowFolderButton.directory = str(tmp_path)
    ui.marrowReportButton.click()
    written = json.loads((tmp_path / "marrow_perfusion" / "result.json").read_text())
    assert {row["region"]: row["mean"] for row in written["regions"]}["L3"] == again["L3"]["mean"]
    assert (tmp_path / "marrow_perfusion" / "report.html").stat().st_size > 1e5


def centre_of(node, segment_id):
    """RAS mm of the middle of a segment."""
    from bonequant.mrml.patches import patch_of

    patch = patch_of(node, segment_id)
    z, y, x = (np.argwhere(patch.voxels).mean(axis=0) + patch.start[::-1]).tolist()
    lps = patch.grid.index_to_physical @ [x, y, z, 1.0]
    return (-lps[0], -lps[1], lps[2])


def test_table_follows_the_drawing_and_new_segments(app):
    """A region is drawn, shrunk and taken away; the table says so without a click."""
    from bonequant.mrml.patches import patch_of, write_patch
    from bonequant.roi.carry import Patch

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.ui.measureButton.click()
    table = panel.logic.marrowNodes(panel.chosen.functionalVolume)["tables"]["regions"]
    assert rows_of(table)["marrow"]["volume_ml"] == pytest.approx(1.0, rel=1e-12)
    regions = panel.chosen.regions
    patch = patch_of(regions, "marrow")
    regions.GetSegmentation().AddEmptySegment("mine", "mine")
    write_patch(regions, "mine", Patch(patch.grid, patch.start, patch.voxels[:5]))
    app.process(200)
    assert rows_of(table)["mine"]["volume_ml"] == pytest.approx(0.5, rel=1e-12)
    regions.GetSegmentation().RemoveSegment("mine")
    app.process(200)
    assert list(rows_of(table)) == ["marrow"]
    panel.ui.liveCheckBox.checked = False
    write_patch(regions, "marrow", Patch(patch.grid, patch.start, patch.voxels[:5]))
    app.process(200)
    assert rows_of(table)["marrow"]["volume_ml"] == pytest.approx(1.0, rel=1e-12)
    panel.ui.liveCheckBox.checked = True  # what was drawn meanwhile is measured at once
    assert rows_of(table)["marrow"]["volume_ml"] == pytest.approx(0.5, rel=1e-12)


def test_errors_name_the_node_and_the_way_out(app):
    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    spect, regions = drawn(app.scene, unit="Bq/mL")
    panel.chosen.functionalVolume, panel.chosen.regions = spect, regions
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "node 'SPECT' does not hold decay_correction" in str(error)
    assert "ratios only: setting 'Quantity' = native" in str(error)
    assert "--" not in str(error)
    mrml.type_fact(spect, "modality", "CT")
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "is a CT" in str(error)
    empty = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    panel.chosen.functionalVolume = empty
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "'Nothing' holds no voxels" in str(error)
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert panel.ui.tabs.enabled


def test_segmentation_under_a_transform_of_its_own_is_refused(app):
    import SimpleITK as sitk
    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    shift = mrml.to_node(sitk.TranslationTransform(3, (5.0, 0.0, 0.0)), "shift")
    panel.chosen.regions.SetAndObserveTransformNodeID(shift.GetID())
    panel.ui.measureButton.click()
    (error,) = app.take_errors()
    assert "another transform than 'SPECT'" in str(error)


def test_cancel_changes_nothing_and_frees_the_panel_within_a_second(app, patient):
    import qt
    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume = mrml.to_node(patient.spect, "SPECT")
    panel.chosen.ctVolume = mrml.to_node(patient.ct, "CT")
    before, pressed = app.scene.GetNumberOfNodes(), []

    def press():
        pressed.append((time.perf_counter(), panel.ui.tabs.enabled))
        panel.work.button.click()

    qt.QTimer.singleShot(400, press)
    panel.ui.measureButton.click()
    assert time.perf_counter() - pressed[0][0] < 1.0
    assert not pressed[0][1]
    assert app.scene.GetNumberOfNodes() == before
    assert panel.chosen.functionalVolume.GetParentTransformNode() is None
    assert panel.ui.measureButton.enabled


def test_closing_the_scene_ends_the_work_without_an_error(app, patient):
    import qt
    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume = mrml.to_node(patient.spect, "SPECT")
    panel.chosen.ctVolume = mrml.to_node(patient.ct, "CT")
    qt.QTimer.singleShot(300, app.close_scene)
    panel.ui.measureButton.click()
    assert app.errors == []
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert not panel.work.running
    assert panel.chosen.functionalVolume is None


def test_closed_scene_and_left_module_leave_no_observer(app):
    from Testing.host.observers import observed

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.ui.measureButton.click()
    regions = panel.chosen.regions
    app.leave()
    assert observed(app.scene).get(regions.GetID(), 0) == 0
    app.open("BoneMarrowPerfusion")
    app.close_scene()
    assert app.errors == []


def test_two_patients_in_one_scene_do_not_mix(app):
    panel = app.open("BoneMarrowPerfusion")
    for value, name in ((3.0, "first"), (5.0, "second")):
        panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene, value=value, name=name)
        panel.ui.measureButton.click()
    tables = {
        name: panel.logic.marrowNodes(app.scene.GetFirstNodeByName(name))["tables"]["regions"]
        for name in ("first", "second")
    }
    assert rows_of(tables["first"])["marrow"]["mean"] == pytest.approx(3.0, rel=1e-6)
    assert rows_of(tables["second"])["marrow"]["mean"] == pytest.approx(5.0, rel=1e-6)


READ = """
import sys; sys.path[:0] = [{root!r}, {core!r}]
from Testing import host
with host.application() as app:
    import slicer
    slicer.mrmlScene.SetURL({path!r}); assert slicer.mrmlScene.Import()
    panel = app.open("BoneMarrowPerfusion")
    chosen = panel.chosen
    nodes = panel.logic.marrowNodes(chosen.functionalVolume)
    from bonequant import mrml
    rows = mrml.rows_from_node(nodes["tables"]["regions"])
    import json
    print("FOUND", json.dumps(dict(
        regions=chosen.regions.GetName(), follow=chosen.followRegions,
        settings=json.loads(chosen.marrowSettings)["lesion_sd"],
        mean=rows[0]["mean"], charts=sorted(nodes["charts"]), maps=sorted(nodes["maps"]),
        fact=mrml.from_node(chosen.functionalVolume).acquisition.patient_weight_kg,
        chart=panel.ui.regionsChartButton.enabled, report=panel.ui.marrowReportButton.enabled,
        drawn=sorted(mrml.masks_from_node(chosen.regions)))))
"""


def test_saved_scene_comes_back_in_a_new_process(app, root, tmp_path):
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.chosen.followRegions = False
    line = panel.tabs[0].facts.line("patient_weight_kg")
    line.text = "71.5"
    line.editingFinished.emit()
    panel.tabs[0].forms[1].widget("lesion_sd").text = "5"
    panel.tabs[0].forms[1].widget("lesion_sd").editingFinished.emit()
    panel.ui.measureButton.click()
    (tmp_path / "saved").mkdir()
    assert app.scene.SaveSceneToSlicerDataBundleDirectory(str(tmp_path / "saved"))
    (scene,) = (tmp_path / "saved").glob("*.mrml")
    code = READ.format(root=str(root), core=str(root / "BoneQuantCore"), path=str(scene))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND")] or [done.stderr]
    assert json.loads(line.removeprefix("FOUND ")) == {
        "regions": "Regions SPECT",
        "follow": False,
        "settings": 5.0,
        "mean": pytest.approx(3.0, rel=1e-6),
        "charts": ["histogram", "regions"],
        "maps": ["suv"],
        "fact": 71.5,
        "chart": True,
        "report": False,
        "drawn": ["marrow"],
    }


def test_scene_that_is_opened_under_the_panel_is_shown_whole(app, tmp_path):
    """The parameter node comes before the nodes that it refers to."""
    import slicer

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.ui.measureButton.click()
    assert app.scene.SaveSceneToSlicerDataBundleDirectory(str(tmp_path))
    (scene,) = tmp_path.glob("*.mrml")
    slicer.mrmlScene.SetURL(str(scene))
    assert slicer.mrmlScene.Connect()  # closes what is open, then reads
    app.process()
    assert panel.chosen.regions.GetName() == "Regions SPECT"
    assert panel.ui.functionalSelector.currentNode() is panel.chosen.functionalVolume
    assert panel.ui.mapComboBox.currentText == "SPECT suv"
    assert panel.ui.tableButton.enabled
    assert panel.tabs[0].facts.line("unit").text == "SUVbw"
    panel.ui.measureButton.click()
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 2  # regions, histogram: filled again
    app.close_scene()
    assert app.errors == []


def test_second_date_is_measured_and_compared(app, patient):
    """The same images as two dates: everything that is found changes by nothing."""
    import dataclasses
    from datetime import timedelta

    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    start = patient.spect.acquisition.acquisition_start
    injected = patient.spect.acquisition.injection_time
    later = dataclasses.replace(
        patient.spect.acquisition,
        acquisition_start=start + timedelta(days=30),
        injection_time=injected + timedelta(days=30),
    )
    ct = patient.ct.replace(image=patient.ct.image[:, :, 10:40])  # a part of the spine is enough here
    panel.chosen.functionalVolume = mrml.to_node(patient.spect, "SPECT")
    panel.chosen.ctVolume = panel.chosen.laterCt = mrml.to_node(ct, "CT")
    scaled = patient.spect.with_array(2.0 * patient.spect.array).replace(acquisition=later)
    panel.chosen.laterFunctional = mrml.to_node(scaled, "Later SPECT")
    panel.tabs[0].forms[0].widget("alignment").currentIndex = 1  # the scanner's: registration has its own tests
    panel.ui.measureButton.click()
    table = panel.logic.marrowNodes(panel.chosen.functionalVolume)["tables"]["follow_up"]
    (change,) = [
        row["change_percent_1"]
        for row in mrml.rows_from_node(table)
        if (row["region"], row["quantity"]) == ("marrow", "mean")
    ]
    assert change == pytest.approx(100.0, rel=1e-6)  # twice the counts, in float32


@pytest.fixture(scope="module")
def liver():
    from bonequant.phantom import liver_preset, simulate_liver

    from benchmarks.liver import drawn as regions_of

    scan = simulate_liver(liver_preset("small", breathing_mm=0.0, field_mm=(384.0, 288.0, 60.0)))
    return scan.series, regions_of(scan)


def test_liver_tab_gives_the_jobs_table_curves_maps_and_report(app, liver, tmp_path):
    from bonequant import mrml
    from bonequant.studies import liver_perfusion as job

    series, masks = liver
    settings = job.LiverSettings(correct_motion=False)
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.liverSeries, panel.chosen.liverRegions = mrml.to_node(series, "CT"), mrml.to_node(masks, "Regions")
    panel.tabs[1].forms[0].widget("correct_motion").checked = False
    panel.ui.liverMeasureButton.click()
    expected = job.run(job.LiverInputs(series, masks), settings)
    nodes = panel.logic.seriesNodes(panel.chosen.liverSeries)
    assert_same(rows_of(nodes["tables"]["tissue"]), expected.rows)
    hpi = nodes["maps"]["hpi_dual_input"]
    assert (hpi.GetVoxelValueUnits().GetCodeValue(), hpi.GetDisplayNode().GetColorNodeID()) == (
        "%",
        "vtkMRMLPETProceduralColorNodePET-Heat",
    )
    assert np.array_equal(mrml.from_node(hpi).array, expected.maps["hpi_dual_input"].array, equal_nan=True)
    assert nodes["charts"]["curves"].GetNumberOfPlotSeriesNodes() == len(expected.enhancement) + len(expected.fits)
    panel.ui.liverFolderButton.directory = str(tmp_path)
    panel.ui.liverReportButton.click()
    assert (tmp_path / "liver_perfusion" / "report.html").is_file()


def test_a_series_without_a_unit_is_told_its_unit_in_the_panel(app, liver):
    import dataclasses

    from bonequant import mrml

    series, masks = liver
    panel = app.open("BoneMarrowPerfusion")
    plain = dataclasses.replace(series, unit="", modality="OT")
    panel.chosen.liverSeries, panel.chosen.liverRegions = mrml.to_node(plain, "CT"), mrml.to_node(masks, "Regions")
    panel.tabs[1].forms[0].widget("correct_motion").checked = False
    panel.ui.liverMeasureButton.click()
    (error,) = app.take_errors()
    assert "type HU for 'Voxels are in'" in str(error)
    line = panel.tabs[1].facts.line("unit")
    line.text = "HU"
    line.editingFinished.emit()
    panel.ui.liverMeasureButton.click()
    assert panel.logic.liverResult(panel.chosen.liverSeries) is not None


def test_maa_by_itself_gives_ratios_and_doses(app, tmp_path):
    from bonequant import mrml
    from bonequant.volume import Volume

    array = np.full((20, 30, 30), 1.0, np.float32)
    liver, tumour = np.zeros(array.shape, np.uint8), np.zeros(array.shape, np.uint8)
    liver[4:16, 4:26, 4:26], tumour[8:12, 10:16, 10:16] = 1, 1
    array[tumour > 0] = 5.0
    masks = {name: sitk.GetImageFromArray(mask) for name, mask in (("liver", liver), ("tumour_1", tumour))}
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.maaSpect = mrml.to_node(Volume(sitk.GetImageFromArray(array), "NM", "counts"), "MAA")
    panel.chosen.maaRegions = mrml.to_node(masks, "Drawn")
    panel.ui.maaMeasureButton.click()
    maa = panel.logic.marrowResult(panel.chosen.maaSpect).maa
    # The image is sampled by cubic splines, which ring by a few percent at a step in a voxel or two of the edge.
    assert maa.tumour_to_normal["tumour_1"] == pytest.approx(5.0, rel=0.01)
    assert "T/N tumour_1: 5.0" in panel.ui.maaLabel.text
    panel.ui.liverFolderButton.directory = str(tmp_path)
    panel.ui.maaReportButton.click()
    assert (tmp_path / "maa" / "report.html").is_file()


def test_dynamic_tab_gives_the_jobs_table_curves_and_report(app, tmp_path):
    from bonequant import mrml
    from bonequant.phantom import SpectSettings, dynamic_spect_preset, simulate_dynamic_spect
    from bonequant.studies import dynamic_spect as job

    grid = SpectSettings(spacing_mm=(12.0, 12.0, 12.0), matrix=(36, 36, 34), fwhm_mm=12.0, source_mm=4.0)
    scan = simulate_dynamic_spect(dynamic_spect_preset("small", spect=grid))
    masks = {"blood_pool" if name == "blood" else name: mask for name, mask in scan.masks.items()}
    masks = {name: mask for name, mask in masks.items() if sitk.GetArrayViewFromImage(mask).any()}
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.dynamicSeries = mrml.to_node(scan.series, "Dynamic")
    panel.chosen.dynamicRegions = mrml.to_node(masks, "Regions")
    panel.ui.dynamicMeasureButton.click()
    expected = job.run(job.DynamicSpectInputs(scan.series, masks))
    nodes = panel.logic.seriesNodes(panel.chosen.dynamicSeries)
    shown = {row["region"]: row for row in mrml.rows_from_node(nodes["tables"]["regions"])}
    for row in expected.rows:
        for name in ("peak", "washout_percent", "k1", "ki"):
            value = row[name]
            assert shown[row["region"]][name] == value or (value is None and math.isnan(shown[row["region"]][name]))
    panel.ui.dynamicFolderButton.directory = str(tmp_path)
    panel.ui.dynamicReportButton.click()
    assert (tmp_path / "dynamic_spect" / "report.html").is_file()
    panel.chosen.dynamicRegions.SetAndObserveTransformNodeID(
        mrml.to_node(sitk.TranslationTransform(3, (5.0, 0.0, 0.0)), "shift").GetID()
    )
    panel.ui.dynamicMeasureButton.click()
    (error,) = app.take_errors()
    assert "'shift'" in str(error)


def noisy(unit="SUVbw"):
    """A SPECT of noise, and a region in it, named as a mask of a file without names is."""
    from bonequant.volume import Volume

    values = np.random.default_rng(5).gamma(2.0, 1.5, (20, 20, 20)).astype(np.float32)
    image, mask = sitk.GetImageFromArray(values), sitk.Image(20, 20, 20, sitk.sitkUInt8)
    mask[5:15, 5:15, 5:15] = 1
    mask[12:18, 5:9, 3:7] = 1
    return Volume(image, "NM", unit), {"label_1": mask}


def test_console_one_liners(app, tmp_path):
    """As in the module's help text and the tutorial; the numbers are the panel's, to the bit."""
    from bonequant import mrml

    from BoneMarrowPerfusion import BoneMarrowPerfusionLogic

    volume, masks = noisy()
    spect, regions = mrml.to_node(volume, "SPECT"), mrml.to_node(masks, "Regions")
    logic = BoneMarrowPerfusionLogic()
    nodes = logic.measure(spect, regions=regions)
    report = logic.writeReport(spect, tmp_path / "report")
    assert report.is_file()
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume = mrml.to_node(volume, "SPECT again")
    panel.chosen.regions = mrml.to_node(masks, "Regions again")
    panel.ui.measureButton.click()
    shown = mrml.rows_from_node(panel.logic.marrowNodes(panel.chosen.functionalVolume)["tables"]["regions"])
    assert_same(rows_of(nodes.tables["regions"]), shown)


def test_series_from_the_console(app, liver):
    from bonequant import mrml
    from bonequant.studies import liver_perfusion as job

    from BoneMarrowPerfusion import BoneMarrowPerfusionLogic

    series, masks = liver
    logic, settings = BoneMarrowPerfusionLogic(), job.LiverSettings(correct_motion=False)
    found = logic.measureLiver(mrml.to_node(series, "Perfusion CT"), mrml.to_node(masks, "Regions"), settings=settings)
    assert_same(rows_of(found.tables["tissue"]), job.run(job.LiverInputs(series, masks), settings).rows)


WITHOUT_A_WINDOW = """
import runpy, sys; sys.path[:0] = [{root!r}, {core!r}]
from Testing import host
with host.application(main_window=False) as app:
    sys.argv = {words!r}
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_tutorials_script_gives_the_panels_numbers_with_and_without_slicer(app, root, tmp_path):
    """By ``Slicer --no-main-window --python-script`` (the host without a window) and on Slicer's core alone."""
    from bonequant import mrml
    from bonequant.studies.marrow_perfusion import MarrowSettings

    tutorial = (root / "Docs/tutorial/marrow.md").read_text(encoding="utf-8")
    (script,) = [block for block in tutorial.split("```python\n")[1:] if "sys.argv" in block]
    (tmp_path / "measure.py").write_text(script.split("```")[0])
    volume, masks = noisy(unit="")  # a plain image file names none
    sitk.WriteImage(volume.image, tmp_path / "spect.nrrd")
    sitk.WriteImage(masks["label_1"], tmp_path / "marrow.nrrd")
    core, found = str(root / "BoneQuantCore"), {}
    for name in ("core", "window"):
        words = [str(tmp_path / "measure.py"), *(str(tmp_path / one) for one in ("spect.nrrd", name, "marrow.nrrd"))]
        inside = ["-c", WITHOUT_A_WINDOW.format(root=str(root), core=core, words=words)]
        call = [sys.executable, "-W", "ignore", *(words if name == "core" else inside)]
        done = subprocess.run(call, check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": core})
        assert done.returncode == 0, done.stderr
        found[name] = json.loads((tmp_path / name / "result.json").read_text())["regions"]
        scene = mrml.read_scene(tmp_path / f"{name}.mrb")
        assert mrml.rows_from_node(scene.GetFirstNodeByName("Regions table"))[0]["mean"] == found[name][0]["mean"]
    assert found["core"] == found["window"]
    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = mrml.to_node(volume, "SPECT"), mrml.to_node(masks, "Regions")
    panel.chosen.marrowSettings = MarrowSettings(quantity="native").to_json()
    panel.ui.measureButton.click()
    table = panel.logic.marrowNodes(panel.chosen.functionalVolume)["tables"]["regions"]
    assert_same(rows_of(table), found["core"])


def test_a_module_that_is_left_while_it_works_ends_its_work_without_touching_the_views(app):
    import qt
    import slicer

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = spect, _regions = drawn(app.scene)
    work = panel.work.run
    panel.work.run = lambda job: work(lambda progress: (time.sleep(0.5), job(progress))[1])
    layout = slicer.app.layoutManager().layout
    qt.QTimer.singleShot(100, app.leave)
    panel.ui.measureButton.click()
    assert panel.chosen is None
    assert "regions" in panel.logic.marrowNodes(spect)["tables"]
    assert slicer.app.layoutManager().layout == layout
    assert app.errors == []
    app.open("BoneMarrowPerfusion")
    panel.ui.marrowFolderButton.directory = "/"
    assert panel.ui.marrowReportButton.enabled


def test_the_editor_takes_no_map_away_and_keeps_its_regions_over_another_module(app):
    import slicer

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = spect, regions = drawn(app.scene)
    panel.ui.segmentEditor.setSegmentationNode(regions)
    panel.ui.segmentEditor.setSourceVolumeNode(spect)
    panel.ui.measureButton.click()
    shown = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    maps = {node.GetID() for node in panel.logic.marrowNodes(spect)["maps"].values()}
    assert {shown.GetBackgroundVolumeID(), shown.GetForegroundVolumeID()} & maps
    app.open("SPECTCTRadiomics")
    assert panel.ui.segmentEditor.segmentationNode() is None
    app.open("BoneMarrowPerfusion")
    assert panel.ui.segmentEditor.segmentationNode() is regions
    assert panel.ui.segmentEditor.sourceVolumeNode() is spect
    assert app.take_errors() == []


def test_another_patients_node_of_the_same_id_has_no_result(app, tmp_path):
    """A script that goes from scene to scene with one logic must not write the report of the patient before."""
    from bonequant.errors import InputError

    from BoneMarrowPerfusion import BoneMarrowPerfusionLogic

    logic = BoneMarrowPerfusionLogic()
    first, regions = drawn(app.scene)
    logic.measure(first, regions=regions)
    known = first.GetID()
    app.scene.Clear(0)
    second, _regions = drawn(app.scene)
    assert second.GetID() == known
    assert logic.marrowResult(second) is None
    with pytest.raises(InputError, match="measure first"):
        logic.writeReport(second, tmp_path / "report")


def test_a_region_that_leaves_the_image_or_changes_its_name_leaves_no_old_row(app):
    from bonequant.mrml.patches import patch_of, write_patch
    from bonequant.roi.carry import Patch

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.ui.measureButton.click()
    table = panel.logic.marrowNodes(panel.chosen.functionalVolume)["tables"]["regions"]
    regions = panel.chosen.regions
    patch = patch_of(regions, "marrow")
    regions.GetSegmentation().GetSegment("marrow").SetName("spine")
    write_patch(regions, "marrow", Patch(patch.grid, patch.start, patch.voxels[:5]))
    app.process(200)
    assert list(rows_of(table)) == ["spine"]
    regions.GetSegmentation().AddEmptySegment("kept", "kept")
    write_patch(regions, "kept", patch)
    write_patch(regions, "marrow", Patch(patch.grid, patch.start + 100, patch.voxels[:5]))
    app.process(200)
    assert list(rows_of(table)) == ["kept"]
    assert app.errors == []


def test_a_report_asks_for_its_packages_first(app, tmp_path, monkeypatch):
    import BoneQuantCore

    panel = app.open("BoneMarrowPerfusion")
    panel.chosen.functionalVolume, panel.chosen.regions = drawn(app.scene)
    panel.ui.measureButton.click()
    panel.ui.marrowFolderButton.directory = str(tmp_path)

    def refused(requester):
        raise RuntimeError(f"{requester}: not installed")

    monkeypatch.setattr(BoneQuantCore, "ensureRequirements", refused)
    panel.ui.marrowReportButton.click()
    (error,) = app.take_errors()
    assert "Bone Marrow Perfusion: not installed" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_sample_data_are_registered(app):
    import SampleData

    sources = {source["sampleName"]: source for source in SampleData.SampleDataLogic.registered}
    sources["Simulated SPECT/CT patient"]["customDownloader"](None)
    assert [app.scene.GetFirstNodeByName(name).GetAttribute("BoneQuant.Modality") for name in ("SPECT", "CT")] == [
        "NM",
        "CT",
    ]
