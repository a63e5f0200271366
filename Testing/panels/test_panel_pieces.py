"""The pieces that the panels share: settings and facts forms, work with Cancel, charts, the fusion slider."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import SimpleITK as sitk


def volume(name="SPECT", **facts):
    from bonequant.volume import Acquisition, Volume

    image = sitk.GaussianSource(sitk.sitkFloat32, (12, 10, 8), (3, 3, 3), (6, 5, 4))
    return Volume(image, "NM", "Bq/mL", acquisition=Acquisition(**facts), name=name)


def test_settings_form_shows_every_setting_and_keeps_what_is_typed_as_json(app):
    import qt
    from bonequant.settings import describe
    from bonequant.studies.marrow_perfusion import MarrowSettings
    from BoneQuantPanels.settings_form import SettingsForm

    told, box = [], qt.QWidget()
    form = SettingsForm(MarrowSettings, qt.QVBoxLayout(box), told.append)
    assert all(form.widget(row["name"]) is not None for row in describe(MarrowSettings))
    form.widget("lesion_sd").text = "5.25"
    form.widget("lesion_sd").editingFinished.emit()
    form.widget("quantity").currentIndex = 2
    assert MarrowSettings.from_json(told[-1]) == MarrowSettings(lesion_sd=5.25, quantity="native")
    form.widget("lesion_sd").text = "99"
    form.widget("lesion_sd").editingFinished.emit()
    assert len(told) == 2
    assert "1.0 to 20" in form.message.text or "1 to 20" in form.message.text


def test_settings_form_gives_back_what_it_was_given_to_the_bit(app):
    """Numbers stand in the form in full: showing settings and reading them changes nothing."""
    import qt
    from bonequant.studies.marrow_perfusion import MaaSettings, MarrowSettings
    from BoneQuantPanels.settings_form import SettingsForm

    told, box = [], qt.QWidget()
    form = SettingsForm(MarrowSettings, qt.QVBoxLayout(box), told.append)
    given = MarrowSettings(lesion_sd=1 / 3 + 2, maa=MaaSettings(activity_gbq=0.1 + 0.2), level="L1")
    form.set_json(given.to_json())
    form._on_changed()
    assert MarrowSettings.from_json(told[-1]) == given


def test_typed_fact_goes_before_the_file_and_can_be_taken_back(app):
    import qt
    from bonequant import mrml
    from BoneQuantPanels.facts_form import Fact, FactsForm

    node = mrml.to_node(volume(injected_activity_bq=7e8, patient_weight_kg=70.0), "SPECT")
    told, box = [], qt.QWidget()
    rows = [Fact("injected_activity_bq", "Activity", "MBq", 1e6, True), Fact("injection_time", "Injected", needed=True)]
    form = FactsForm(qt.QFormLayout(box), rows, lambda: told.append(1))
    form.set_node(node)
    line = form.line("injected_activity_bq")
    assert line.text == "700"
    line.text = "650.5"
    line.editingFinished.emit()
    assert mrml.from_node(node).acquisition.injected_activity_bq == 650.5e6
    assert mrml.known_facts(node)["injected_activity_bq"] == (650.5e6, "typed")
    form.line("injection_time").text = "2026-01-31T08:30"
    form.line("injection_time").editingFinished.emit()
    assert mrml.from_node(node).acquisition.injection_time.hour == 8
    line.text = ""
    line.editingFinished.emit()
    assert mrml.from_node(node).acquisition.injected_activity_bq == 7e8
    assert line.text == "700"
    assert len(told) == 3


def test_a_fact_that_cannot_be_is_an_error_that_names_it_and_changes_nothing(app):
    import qt
    from bonequant import mrml
    from BoneQuantPanels.facts_form import Fact, FactsForm

    node, box = mrml.to_node(volume(), "SPECT"), qt.QWidget()
    form = FactsForm(qt.QFormLayout(box), [Fact("injection_time", "Injected")], lambda: None)
    form.set_node(node)
    form.line("injection_time").text = "yesterday"
    form.line("injection_time").editingFinished.emit()
    (error,) = app.take_errors()
    assert "SPECT" in str(error)
    assert "injection_time" in str(error)
    assert form.line("injection_time").text == ""
    assert "injection_time" not in mrml.known_facts(node)


def test_typed_unit_goes_before_the_coded_one(app):
    from bonequant import mrml

    node = mrml.to_node(volume(), "SPECT")
    mrml.type_fact(node, "unit", "counts")
    assert mrml.from_node(node).unit == "counts"
    mrml.type_fact(node, "unit", "")
    assert mrml.from_node(node).unit == "Bq/mL"


def test_facts_of_a_node_that_slicer_loaded_come_from_its_dicom_files(app, tmp_path, monkeypatch):
    import pydicom
    import slicer
    from bonequant import io, mrml
    from bonequant.phantom import write_pt_series
    from bonequant.volume import Volume

    original = volume(patient_weight_kg=71.0, injected_activity_bq=3e8, patient_id="P1")
    write_pt_series(original, tmp_path / "PT")
    read = io.load(tmp_path / "PT")
    paths = {pydicom.dcmread(path).SOPInstanceUID: str(path) for path in (tmp_path / "PT").glob("*")}

    class Database:
        isOpen = True

        def fileForInstance(self, instance):
            return paths[instance]

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    node = mrml.to_node(Volume(read.image), "PET")
    for name in ("Acquisition", "Modality", "Unit"):
        node.RemoveAttribute("BoneQuant." + name)
    node.SetAttribute("DICOM.instanceUIDs", " ".join(paths))
    found = mrml.from_node(node)
    assert (found.acquisition, found.unit, found.modality) == (read.acquisition, read.unit, read.modality)
    assert found.acquisition.patient_weight_kg == 71.0


def test_work_is_cancelled_by_the_button_and_is_no_error(app):
    import qt
    from BoneQuantPanels.work import WorkBar, errors_shown

    box, busy, went_on = qt.QWidget(), [], threading.Event()
    work = WorkBar(qt.QVBoxLayout(box), busy.append)

    def endless(progress):
        for step in range(1000):
            progress(step / 1000, "Working")
            time.sleep(0.01)
        went_on.set()

    qt.QTimer.singleShot(100, work.button.click)
    start = time.perf_counter()
    with errors_shown("It failed."):
        work.run(endless)
        raise AssertionError("not cancelled")
    assert time.perf_counter() - start < 1.1  # 0.1 s until the button, at most 0.5 s for the thread; the rest is slack
    assert (busy, went_on.is_set(), work.widget.isHidden()) == ([True, False], False, True)


def test_errors_of_the_work_reach_the_caller_and_other_work_is_refused_meanwhile(app):
    import qt
    from bonequant.errors import BoneQuantError, InputError
    from BoneQuantPanels.work import WorkBar

    box, refused = qt.QWidget(), []
    work = WorkBar(qt.QVBoxLayout(box), lambda busy: None)

    def nested():
        with pytest.raises(BoneQuantError, match="Other work is running"):
            work.run(lambda progress: None)
        refused.append(True)

    def failing(progress):
        time.sleep(0.2)
        raise InputError("No such thing.")

    qt.QTimer.singleShot(50, nested)
    with pytest.raises(InputError, match="No such thing"):
        work.run(failing)
    assert refused == [True]
    assert work.run(lambda progress: 42) == 42


def test_chart_keeps_its_nodes_when_it_is_filled_again(app):
    from bonequant import mrml

    table = mrml.to_node([{"time": 0.0, "a": 1.0, "b": 2.0, "name": "x"}], "Curves")
    chart = mrml.chart_to_node(table, [mrml.Series("a", "time"), mrml.Series("b", "time")], "Curves", x_title="s")
    first = chart.GetNthPlotSeriesNode(0)
    again = mrml.chart_to_node(table, [mrml.Series("b", "name", kind="bar")], "Bars", chart=chart)
    assert again is chart
    assert chart.GetNumberOfPlotSeriesNodes() == 1
    assert chart.GetNthPlotSeriesNode(0) is first
    assert (first.GetYColumnName(), first.GetLabelColumnName(), first.GetPlotType()) == ("b", "name", first.PlotTypeBar)
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 1


def test_fusion_slider_blends_the_foreground_of_every_slice_view(app):
    import ctk
    import slicer
    from bonequant import mrml
    from BoneQuantPanels.fusion import FusionSlider

    ct, spect = mrml.to_node(volume("CT"), "CT"), mrml.to_node(volume(), "SPECT")
    slider = ctk.ctkSliderWidget()
    fusion = FusionSlider(slider)
    slider.value = 40
    fusion.show(ct, spect)
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert {(n.GetBackgroundVolumeID(), n.GetForegroundVolumeID()) for n in nodes} == {(ct.GetID(), spect.GetID())}
    slider.value = 75
    assert np.allclose([n.GetForegroundOpacity() for n in nodes], 0.75)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Ratios only: --set quantity=native.", "Ratios only: setting 'Quantity' = native."),
        ("Give it: --set signal.t1_s=SECONDS.", "Give it: setting 'T1 s' of 'Signal' = SECONDS."),
        ("Give those of all: --set signal.t1_flip_angles_deg=[2,5,10].",
         "Give those of all: setting 'T1 flip angles deg' of 'Signal' = [2,5,10]."),
        ("Draw the lesions (--mask), or lower --set lesion_sd=.",
         "Draw the lesions in a segmentation, or lower setting 'Lesion sd'."),
        ("If it is a CT, say so: --fact unit=HU.", "If it is a CT, say so: type HU for 'Voxels are in'."),
        ("Node 'SPECT' does not hold injection_time. Give injection_time=... Or not.",
         "Node 'SPECT' does not hold injection_time. Type the fact 'Injection time' in the panel. Or not."),
        ("If they show one, confirm it (--confirm-same-patient) and run again.",
         "If they show one, confirm it in the panel, and do it again."),
        ("A sentence of plain words -- with a dash.", "A sentence of plain words -- with a dash."),
    ],
)  # fmt: skip
def test_ways_out_are_named_as_in_a_panel(app, said, shown):
    from BoneQuantPanels.wording import in_the_panel

    assert in_the_panel(said) == shown


def test_no_option_of_the_command_line_is_left_in_what_a_panel_shows(app, root):
    """Every text of the jobs that names an option; those about files to read are no panel's."""
    import ast
    import re

    from BoneQuantPanels.wording import in_the_panel

    texts = []
    for path in (root / "BoneQuantCore/bonequant/studies").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in parts)
            if isinstance(node, (ast.JoinedStr, ast.Constant)) and re.search(r"--[a-z]", text):
                texts.append((path.name, text))
    left = {one for one in texts if re.search(r"--[a-z]", in_the_panel(one[1]))}
    # Tables of training and on which image a file was drawn are no panel's; the last are pieces that the job replaces.
    left = {text for name, text in left if name != "labels.py" and "--mask-on" not in text}
    assert left <= {"(--t1-series)", "(--t1-map)", "--set "}
    assert len(texts) > 30


def test_an_error_is_shown_in_the_words_of_the_panel(app):
    from bonequant.errors import MissingFactError
    from BoneQuantPanels.work import errors_shown

    with pytest.raises(MissingFactError, match="setting 'Quantity' = native") as caught, errors_shown("It failed."):
        raise MissingFactError("No. Or --set quantity=native.", "decay")
    assert caught.value.fact == "decay"


def test_work_without_a_panel_shows_a_dialog_that_cancels_it():
    from bonequant.errors import Cancelled

    from Testing import host

    if host.missing():
        pytest.skip(host.missing())
    with host.application(testing=False) as app:
        import qt
        from BoneQuantPanels.work import run_in_dialog

        seen = []

        def look(press):
            (dialog,) = [one for one in app.application.topLevelWidgets() if isinstance(one, qt.QProgressDialog)]
            seen.append((dialog.labelText, dialog.value))
            if press:
                dialog.cancel()

        def work(progress):
            progress(0.25, "Half of a half")
            for _ in range(200):
                time.sleep(0.01)
                progress(0.25, "Half of a half")
            return "done"

        qt.QTimer.singleShot(300, lambda: look(press=True))
        with pytest.raises(Cancelled):
            run_in_dialog(work)
        assert seen == [("Half of a half", 250)]
        assert run_in_dialog(lambda progress: progress(1.0, "All") or "done") == "done"
