"""DCE Response where something is missing, wrong or cancelled; closed scenes; the demo; one-liners of the console."""

from __future__ import annotations

import numpy as np


def series(times, name="DCE", modality="MR"):
    from bonequant.volume import DynamicSeries, Geometry

    grid = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    frames = np.random.default_rng(1).uniform(90, 110, (len(times), 2, 3, 4)).astype(np.float32)
    return DynamicSeries(frames, np.array(times, float), grid, modality, name=name)


def test_nothing_can_be_pressed_that_would_fail_and_tooltips_say_why(app):
    panel = app.open("DCEResponse")
    buttons = [panel.ui.compareButton, panel.ui.proposeButton, panel.ui.reportButton, panel.ui.layoutButton]
    assert not any(button.enabled for button in buttons)
    assert all(len(button.toolTip) > 10 for button in buttons)
    assert not panel.pages["before"].ui.findButton.enabled
    assert "Select the DCE series" in panel.pages["before"].ui.findButton.toolTip


def test_frame_times_are_shown_and_typed_anew(app):
    from bonequant import mrml

    panel = app.open("DCEResponse")
    node = mrml.to_node(series([0.0, 16.43, 32.86, 60.0]), "DCE")
    page = panel.pages["before"]
    page.ui.sequenceSelector.setCurrentNode(node)
    assert page.ui.timesLineEdit.text == "0, 16.43, 32.86, 60"
    page.ui.timesLineEdit.text = "2.5:5"
    page.ui.timesLineEdit.editingFinished.emit()
    assert mrml.from_node(node).times_s.tolist() == [2.5, 7.5, 12.5, 17.5]
    assert "every 5 s" in page.ui.timesLabel.text
    for wrong, said in (("0, 1, 2", "4 frames"), ("0, 3, 2, 5", "must rise"), ("soon", "seconds")):
        page.ui.timesLineEdit.text = wrong
        page.ui.timesLineEdit.editingFinished.emit()
        (error,) = app.take_errors()
        assert said in str(error)
        assert page.ui.timesLineEdit.text == "2.5:5"
    assert mrml.from_node(node).times_s.tolist() == [2.5, 7.5, 12.5, 17.5]


def test_a_sequence_without_times_says_so_and_takes_typed_ones(app):
    """As Slicer reads a sequence file that has none: frames 0, 1, 2 in no unit."""
    from bonequant import mrml

    panel = app.open("DCEResponse")
    node = mrml.to_node(series([0.0, 1.0, 2.0, 3.0]), "Plain")
    node.SetIndexName("frame")
    node.SetIndexUnit("")
    page = panel.pages["before"]
    page.ui.sequenceSelector.setCurrentNode(node)
    assert "not in time" in page.ui.timesLabel.text
    page.ui.timesLineEdit.editingFinished.emit()
    page.ui.timesLineEdit.text = "0:5"
    page.ui.timesLineEdit.editingFinished.emit()
    assert app.take_errors() == []
    assert mrml.from_node(node).times_s.tolist() == [0.0, 5.0, 10.0, 15.0]
    assert "every 5 s" in page.ui.timesLabel.text


def test_an_input_that_cannot_be_found_names_what_is_missing(app):
    from bonequant import mrml

    panel = app.open("DCEResponse")
    panel.pages["before"].ui.sequenceSelector.setCurrentNode(mrml.to_node(series([0.0, 5.0, 10.0, 15.0, 20.0]), "Own"))
    panel.pages["before"].ui.findButton.click()
    (error,) = app.take_errors()
    assert "repetition time" in str(error)
    assert "Own" in str(error) or "node" in str(error)
    assert panel._parameterNode.beforeArtery is None


def test_typed_modality_holds_for_all_frames_of_a_sequence(app):
    from bonequant import mrml

    panel = app.open("DCEResponse")
    node = mrml.to_node(series([0.0, 5.0], modality="OT"), "Plain")
    page = panel.pages["after"]
    page.ui.sequenceSelector.setCurrentNode(node)
    page.facts.line("modality").text = "MR"
    page.facts.line("modality").editingFinished.emit()
    assert mrml.from_node(node).modality == "MR"


def test_demo_is_ready_to_compare_and_a_cancelled_comparison_changes_nothing(app):
    import qt

    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    chosen = panel._parameterNode
    assert (chosen.beforeSequence.GetName(), chosen.afterSequence.GetName()) == ("DCE before", "DCE after")
    assert chosen.beforeRegions.GetSegmentation().GetSegment("lesion_1") is not None
    assert panel.ui.compareButton.enabled
    before = app.scene.GetNumberOfNodes()
    qt.QTimer.singleShot(300, panel.work.button.click)
    panel.ui.compareButton.click()
    assert app.take_errors() == []
    assert panel.logic.result is None
    assert panel.ui.compareButton.enabled
    assert app.scene.GetNumberOfNodes() == before
    panel.ui.proposeButton.click()
    reference = chosen.beforeRegions.GetSegmentation().GetSegment("reference")
    assert reference is not None
    masks = panel.choices.study(chosen, "before")
    assert (list(masks.lesions), list(masks.references)) == (["lesion_1"], [""])


def test_the_report_of_a_former_scene_is_not_written_as_that_of_another(app):
    """An imported scene brings a table of its own; the result of the former must not pass for it."""
    from bonequant import mrml

    panel = app.open("DCEResponse")
    nodes = panel.logic.nodes()
    nodes.put("table.lesions", mrml.to_node([{"lesion": "L01"}], "Changes"))
    panel.logic._result, panel.logic._changes = object(), nodes.get("table.lesions")
    assert panel.logic.result is not None
    nodes.put("table.lesions", mrml.to_node([{"lesion": "L02"}], "Changes"))
    assert panel.logic.result is None


def test_sample_data_are_registered_and_made_without_internet(app):
    import SampleData
    import slicer

    source = [s for s in SampleData.SampleDataLogic.registered if "DCE" in s["sampleName"]][-1]
    source["customDownloader"](None)
    made = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")]
    assert made == ["DCE before", "DCE after"]


def test_results_go_home_until_another_folder_is_chosen(app):
    """Where Slicer was started is shown by a directory button without a choice, and cannot be chosen then."""
    import qt

    panel = app.open("DCEResponse")
    assert str(panel._parameterNode.outFolder) == panel.ui.outButton.directory == qt.QDir.homePath()


def shown_in(name):
    import slicer

    composite = slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode()
    return composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()


def test_drawing_at_one_date_leaves_the_other_dates_view_alone(app):
    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    nodes = panel.logic.nodes()
    after = (nodes.get("anatomy.after").GetID(), None)
    assert shown_in("DCEAfter") == after
    panel._parameterNode.beforeRegions = None
    panel.ui.lesionButton.click()
    assert shown_in("DCEBefore") == (nodes.get("anatomy.before").GetID(), None)
    assert shown_in("DCEAfter") == after
    panel.pages["before"].ui.redrawButton.click()
    assert shown_in("DCEBefore") == (nodes.get("rise.before").GetID(), None)
    assert shown_in("DCEAfter") == after
    assert app.take_errors() == []


def test_outlines_that_are_chosen_are_in_the_editor_at_once(app):
    from bonequant import mrml

    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    masks = mrml.from_node(panel._parameterNode.beforeRegions)
    other = mrml.to_node(masks, "Outlines of another reader")
    panel.ui.beforeRegionsSelector.setCurrentNode(other)
    assert panel.ui.segmentEditor.segmentationNode() is other
    assert panel._parameterNode.beforeRegions is other
    panel.ui.beforeRegionsSelector.setCurrentNode(None)
    assert panel.ui.segmentEditor.segmentationNode() is None


def test_a_study_that_ends_loading_after_the_module_was_left_is_chosen(app):
    import qt

    panel = app.open("DCEResponse")
    qt.QTimer.singleShot(100, app.leave)
    panel.ui.demoButton.click()
    assert panel._parameterNode is None
    assert app.take_errors() == []
    app.open("DCEResponse")
    assert panel._parameterNode.afterSequence.GetName() == "DCE after"


def test_what_is_being_typed_counts_when_the_module_is_left(app):
    panel = app.open("DCEResponse")
    line = panel.settingsForm.widget("dce.signal.t1_s")
    line.text = "0.9"
    line.setFocus()
    app.leave()
    line.editingFinished.emit()  # as Qt does when it hides the field, after the panel's exit
    app.open("DCEResponse")
    assert app.take_errors() == []
    assert panel.settingsForm.widget("dce.signal.t1_s").text in ("0.9", "")


def test_an_empty_segment_does_not_stop_the_views(app):
    """A segment that was added and not drawn yet has no centre: the views go to what is drawn, or to the image."""
    import slicer

    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    regions = panel._parameterNode.beforeRegions
    x = regions.GetSegmentCenterRAS("lesion_1")[0]
    mask = regions.GetSegmentation().GetSegment("lesion_1")
    regions.GetSegmentation().RemoveAllSegments()
    regions.GetSegmentation().AddEmptySegment("first", "first")
    panel.ui.layoutButton.click()
    assert app.take_errors() == []
    regions.GetSegmentation().AddSegment(mask, "lesion_1")
    panel.ui.layoutButton.click()
    assert app.take_errors() == []
    node = slicer.app.layoutManager().sliceWidget("DCEBefore").sliceLogic().GetSliceNode()
    assert abs(node.GetSliceToRAS().GetElement(0, 3) - x) < 0.01  # sagittal


def test_maps_of_one_date_alone(app):
    from bonequant import mrml

    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    panel.settingsForm.widget("dce.descriptive").checked = False
    panel.pages["before"].ui.fitButton.click()
    assert app.take_errors() == []
    nodes = panel.logic.nodes()
    assert {role for role in nodes.roles() if role.startswith("map.vp")} == {"map.vp.before"}
    (row,) = mrml.from_node(nodes.get("table.regions.before"))
    assert row["region"] == "lesion_1"
    assert abs(row["vp_mean_of_voxels"] - 0.12) < 0.018  # 15 %: see the test of the DCE job
    assert panel.ui.mapComboBox.currentText == "vp"


def test_the_same_series_at_both_dates_is_refused_with_the_way_out(app):
    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    panel.pages["after"].ui.sequenceSelector.setCurrentNode(panel._parameterNode.beforeSequence)
    panel.ui.endLineEdit.text = "last week"
    panel.ui.compareButton.click()
    (error,) = app.take_errors()
    assert "2026-01-31" in str(error)
    panel.ui.endLineEdit.text = ""
    panel.ui.compareButton.click()
    (error,) = app.take_errors()
    assert "same scan" in str(error)


def test_evidence_that_cannot_be_judged_is_an_error_and_is_not_kept(app, tmp_path):
    panel = app.open("DCEResponse")
    panel.criteria.choose("recip")
    panel.criteria.type_cells({"volume_before_ml": "many"})
    panel.ui.judgeButton.click()
    (error,) = app.take_errors()
    assert "volume_before_ml" in str(error)
    assert panel._parameterNode.evidence == "[]"
    panel.ui.evidenceFileButton.click()
    assert "CSV" in str(app.take_errors()[0])
    (tmp_path / "calls.csv").write_text(
        "id,criterion,volume_before_ml,volume_after_ml,new_lesion\nP1,recip,100,40,no\n"
    )
    panel.ui.evidencePathLineEdit.currentPath = str(tmp_path / "calls.csv")
    panel.ui.evidenceFileButton.click()
    assert "P1" in panel.ui.judgedLabel.text
    panel.ui.evidenceFileButton.click()
    assert "kept already" in str(app.take_errors()[0])
    panel.ui.forgetButton.click()
    assert panel.ui.judgedLabel.text == ""


def test_every_criterion_has_a_form(app):
    from bonequant.response import criteria

    panel = app.open("DCEResponse")
    for name in criteria():
        panel.criteria.choose(name)
        assert panel.criteria.criterion == name
        assert panel.criteria.cells()
        assert panel.ui.criterionLabel.text
    assert app.errors == []


def test_closing_the_scene_leaves_no_observer_and_an_empty_panel(app):
    from Testing.host.observers import observed

    before = observed(app.scene)
    panel = app.open("DCEResponse")
    panel.ui.demoButton.click()
    panel.drawing.add_segment("lesion")
    app.close_scene()
    assert panel._parameterNode.beforeSequence is None
    app.leave()
    after = observed(app.scene)  # the host's own table view observes its node
    left = {key: after[key] for key in after if key != "scene" and key not in before and "TableViewNode" not in key}
    assert left == {}
    assert app.errors == []


def test_results_of_two_parameter_nodes_do_not_mix(app):
    from bonequant import mrml

    owners = [app.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", f"set {number}") for number in (1, 2)]
    first, second = (mrml.ResultNodes(owner) for owner in owners)
    for number, nodes in enumerate((first, second)):
        nodes.put("map.vp.before", mrml.to_node(series([0.0, 1.0]).frame(0), f"vp {number}"))
        nodes.put("table.calls", mrml.to_node([{"call": number}], "Calls"))
    count = app.scene.GetNumberOfNodes()
    first.clear("map.")
    assert first.roles() == ["table.calls"]
    assert sorted(second.roles()) == ["map.vp.before", "table.calls"]
    assert app.scene.GetNumberOfNodes() == count - 2  # the map and its display
    assert mrml.from_node(second.get("table.calls")) == [{"call": 1}]


def test_one_liners_of_the_tutorial(app, tmp_path, monkeypatch, capsys):
    """The console's code block as it stands in the tutorial; on regions alone nothing is left out."""
    import re

    import slicer

    from Testing import host

    text = (host.ROOT / "Docs/tutorial/dce_response.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {"getNode": slicer.util.getNode}
    exec(code, names)
    assert capsys.readouterr().out.startswith("success")
    assert (tmp_path / "results" / "report.html").is_file()
    assert names["result"] is names["logic"].result
