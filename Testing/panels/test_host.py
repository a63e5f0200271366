"""The host itself: PythonQt's manners, the parameter node wrapper, painting, layouts, errors, screenshots."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk


def volume(value: float = 3.0):
    from bonequant.volume import Volume

    image = sitk.Image(40, 38, 36, sitk.sitkFloat32) + value
    image.SetSpacing((2.0, 2.0, 2.0))
    image.SetOrigin((-40.0, -38.0, -36.0))
    return Volume(image, "NM", "SUVbw")


def test_properties_are_attributes(app):
    import qt

    button = qt.QPushButton("Apply")
    button.enabled, button.toolTip = False, "why"
    assert (button.text, button.enabled, button.isEnabled(), button.toolTip) == ("Apply", False, False, "why")
    with pytest.raises(AttributeError, match="new attributes cannot be made"):
        button.tooltip = "misspelt"
    with pytest.raises(AttributeError, match="not writable"):
        button.sizeHint = qt.QSize(1, 1)


def test_signals_are_connected_by_signature_and_slots_get_what_they_take(app):
    import qt

    button, heard = qt.QPushButton(), []

    def without() -> None:
        heard.append("without")

    button.checkable = True
    button.connect("clicked(bool)", heard.append)
    button.connect("clicked(bool)", without)
    button.click()
    assert heard == [True, "without"]
    assert button.disconnect("clicked(bool)", without)
    button.click()
    assert heard == [True, "without", False]
    with pytest.raises(AttributeError, match="has no signal clicked"):
        button.connect("clicked(int)", without)


def test_parameters_have_types_defaults_and_are_kept_by_the_node(app):
    module = _parameters_module()
    node = app.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters")
    chosen = module.Parameters(node)
    assert (chosen.sigma_mm, chosen.rule, chosen.note, chosen.count, chosen.on) == (
        2.5,
        module.Rule.LAST,
        "none",
        3,
        True,
    )
    assert chosen.spect is None
    with pytest.raises(ValueError, match="20"):
        chosen.sigma_mm = 21.0
    with pytest.raises(TypeError):
        chosen.count = "three"
    chosen.names.append("marrow")
    chosen.times["first"] = 24.0
    chosen.rule, chosen.on = module.Rule.BEST, False
    again = module.Parameters(node)
    assert (list(again.names), dict(again.times), again.rule, again.on) == (
        ["marrow"],
        {"first": 24.0},
        module.Rule.BEST,
        False,
    )
    assert node.GetParameter("rule") == "BEST"


def test_a_widget_and_its_parameter_follow_each_other(app):
    import qt

    module = _parameters_module()
    chosen = module.Parameters(app.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters"))
    box, check, combo = qt.QDoubleSpinBox(), qt.QCheckBox(), qt.QComboBox()
    tag = chosen.connectParametersToGui({"sigma_mm": box, "on": check, "rule": combo})
    assert (box.value, box.maximum, check.checked, combo.currentText) == (2.5, 20.0, True, "LAST")
    box.value = 4.0
    combo.currentIndex = 1
    assert (chosen.sigma_mm, chosen.rule) == (4.0, module.Rule.BEST)
    chosen.on = False
    assert not check.checked
    chosen.disconnectGui(tag)
    box.value = 5.0
    assert chosen.sigma_mm == 4.0
    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        chosen.connectParametersToGui({"note": box})


def test_parameters_come_back_with_the_scene(app, tmp_path):
    from bonequant import mrml

    module = _parameters_module()
    chosen = module.Parameters(app.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "Parameters"))
    chosen.spect, chosen.sigma_mm = mrml.to_node(volume(), "SPECT"), 7.0
    scene = mrml.read_scene(mrml.save_scene(app.scene, tmp_path / "scene.mrb"))
    again = module.Parameters(scene.GetFirstNodeByName("Parameters"))
    assert (again.spect.GetName(), again.sigma_mm) == ("SPECT", 7.0)


def test_painting_in_the_segment_editor_is_measured_and_carried(app):
    import slicer
    from bonequant import mrml

    spect, ct = mrml.to_node(volume(), "SPECT"), mrml.to_node(volume(40.0), "CT")
    lesions = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Lesions")
    lesions.SetReferenceImageGeometryParameterFromVolumeNode(spect)
    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(app.scene)
    editor.setMRMLSegmentEditorNode(app.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    editor.setSegmentationNode(lesions)
    editor.setSourceVolumeNode(spect)
    editor.setCurrentSegmentID(lesions.GetSegmentation().AddEmptySegment("one", "one"))
    with mrml_live(lesions, [ct]) as live:
        editor.paint((0.0, 0.0, 0.0), 20.0)
        editor.paint((6.0, 0.0, 0.0), 20.0)
        editor.erase((0.0, 0.0, 12.0), 10.0)
        drawn = mrml.measure_segments(spect, lesions)["one"]
        carried = mrml.measure_segments(ct, live.targets[ct.GetID()])["one"]
    assert drawn.volume_ml == pytest.approx(carried.volume_ml)
    # Two 20 mm spheres 6 mm apart, less what a 10 mm sphere cuts off: 5.9 mL; 2 mm voxels at a rim of 15 cm2.
    assert drawn.volume_ml == pytest.approx(5.9, abs=0.3)
    assert (drawn.mean, carried.mean) == (3.0, 40.0)


def test_layouts_show_tables_and_plots(app, tmp_path):
    import slicer
    from bonequant import mrml

    table = mrml.rows_to_node([{"time": float(t), "activity": float(t * t)} for t in range(8)], "Curve")
    series = app.scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "activity")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("time")
    series.SetYColumnName("activity")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetColor(0.8, 0.1, 0.1)
    chart = app.scene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Chart")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveTableID(table.GetID())
    selection.SetActivePlotChartID(chart.GetID())
    slicer.app.applicationLogic().PropagateTableSelection()
    slicer.app.applicationLogic().PropagatePlotChartSelection()
    assert (manager.tableViewCount, manager.plotViewCount) == (1, 1)
    assert manager.tableWidget(0).tableView().rowCount == 8
    picture = _picture(app.screenshot(tmp_path / "plot.png", manager.plotWidget(0)))
    red = (picture[..., 0] > 150) & (picture[..., 1] < 90) & (picture[..., 2] < 90)
    assert red.sum() > 50


def test_views_are_rendered_with_the_segment_over_the_volume(app, tmp_path):
    import slicer
    from bonequant import mrml

    spect = mrml.to_node(volume(), "SPECT")
    spect.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    spect.GetDisplayNode().SetWindowLevel(6.0, 3.0)
    mask = sitk.Image(volume().image.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(volume().image)
    mask[10:30, 10:30, 10:30] = 1
    mrml.to_node({"red_marrow": mask}, "Regions")
    slicer.util.setSliceViewerLayers(background=spect, fit=True)
    picture = _picture(app.screenshot(tmp_path / "red.png", slicer.app.layoutManager().sliceWidget("Red").sliceView()))
    height, width, _ = picture.shape
    assert 100 < picture[height // 2, width // 2, 1] < 150  # grey at half the window
    tinted = picture[..., 0].astype(int) > picture[..., 2].astype(int) + 10
    # The segment is 20 x 20 of 40 x 38 voxels; one row of its outline's pixels more or less is 1 %.
    assert tinted.sum() / picture.any(axis=-1).sum() == pytest.approx(400 / 1520, abs=0.015)


def test_linked_slice_views_move_together(app):
    import slicer
    from bonequant import mrml

    mrml.to_node(volume(), "SPECT")
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    red, green = (manager.sliceWidget(name) for name in ("Red", "Green"))
    green.mrmlSliceNode().SetOrientationToAxial()
    for widget in (red, green):
        widget.mrmlSliceCompositeNode().SetLinkedControl(True)
        widget.mrmlSliceCompositeNode().SetHotLinkedControl(True)
    red.sliceLogic().StartSliceOffsetInteraction()
    red.sliceLogic().SetSliceOffset(12.5)
    red.sliceLogic().EndSliceOffsetInteraction()
    assert green.sliceLogic().GetSliceOffset() == pytest.approx(12.5)


def test_dicom_tags_of_a_loaded_node(app, tmp_path):
    import pydicom
    import slicer
    from pydicom.dataset import FileMetaDataset

    header = pydicom.Dataset()
    header.SOPInstanceUID, header.SeriesInstanceUID, header.PatientWeight = "1.2.3", "1.2", 71.5
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.20"
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    header.save_as(tmp_path / "nm.dcm", enforce_file_format=True)
    uid = slicer.dicomDatabase.add(tmp_path / "nm.dcm")
    assert slicer.dicomDatabase.instancesForSeries("1.2") == [uid]
    assert slicer.dicomDatabase.fileValue(slicer.dicomDatabase.fileForInstance(uid), "0010,1030") == "71.5"
    assert slicer.dicomDatabase.instanceValue(uid, "0008,1030") == ""


def test_an_error_in_a_slot_is_kept_for_the_test(app):
    import qt

    def fail() -> None:
        raise ValueError("said so")

    button = qt.QPushButton()
    button.connect("clicked()", fail)
    button.click()
    (error,) = app.take_errors()
    assert str(error) == "said so"
    assert app.errors == []


def test_no_dialog_when_testing(app):
    import qt
    import slicer

    assert slicer.app.testingEnabled()
    slicer.util.errorDisplay("Only logged.")
    with pytest.raises(RuntimeError, match="no dialog"):
        qt.QFileDialog.getSaveFileName(None, "Save")


def test_nothing_of_the_application_is_left_after_a_session():
    import sys

    from Testing import host

    if host.missing():
        pytest.skip(host.missing())
    import slicer

    with host.application():
        assert hasattr(slicer, "app")
    assert getattr(slicer, "app", None) is None
    assert not {"qt", "ctk", "slicer.parameterNodeWrapper", "BoneMarrowPerfusion"} & set(sys.modules)


def mrml_live(source, volumes):
    import contextlib

    from bonequant import mrml

    @contextlib.contextmanager
    def running():
        live = mrml.LivePropagation(source, volumes)
        yield live
        live.stop()

    return running()


def _picture(path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def _parameters_module():
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("host_parameters", Path(__file__).with_name("host_parameters.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
