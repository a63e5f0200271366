"""The tab of marrow SPECT/CT: inputs, facts, registration, regions, the panel of numbers that follows them, report."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from BoneMarrowPerfusionLib.tab import Tab, as_warnings

_EDITOR = "BoneMarrowPerfusion"
_BASIC = ("tracer", "quantity", "normalisation", "alignment", "reference")
_CHARTS = {"regionsChartButton": "regions", "vertebraeChartButton": "vertebrae", "histogramChartButton": "histogram"}


def fact_rows() -> list[Any]:
    """The facts that quantification asks for, in the units of the injection record."""
    from BoneQuantPanels.facts_form import Fact

    return [
        Fact("unit", _("Voxels are in"), needed=True, hint="counts, Bq/mL, SUVbw"),
        Fact("patient_weight_kg", _("Weight"), "kg", needed=True),
        Fact("patient_height_m", _("Height"), "m"),
        Fact("patient_sex", _("Sex"), hint="F, M"),
        Fact("radionuclide", _("Radionuclide"), needed=True),
        Fact("injected_activity_bq", _("Injected activity"), "MBq", 1e6, True),
        Fact("injection_time", _("Injection"), needed=True, hint="2026-01-31 08:30"),
        Fact("residual_activity_bq", _("Left in the syringe"), "MBq", 1e6),
        Fact("residual_time", _("Measured at"), hint="2026-01-31 08:30"),
        Fact("acquisition_start", _("Start of scan"), needed=True),
        Fact("decay_correction", _("Decay corrected to"), needed=True, hint="START, ADMIN, NONE"),
        Fact("calibration_factor_cps_per_mbq", _("Calibration"), "cps/MBq"),
    ]


class MarrowTab(Tab):
    settings_name = "marrowSettings"

    def __init__(self, panel: Any) -> None:
        from bonequant.studies.marrow_perfusion import MarrowSettings
        from BoneQuantPanels.facts_form import FactsForm
        from BoneQuantPanels.fusion import FusionSlider

        super().__init__(panel)
        self.kind, self.live = MarrowSettings, None
        self.ui.segmentEditor.autoShowSourceVolumeNode = False  # the fusion slider and the list of maps decide
        self.facts = FactsForm(self.ui.factsWidget.layout(), fact_rows(), panel.refresh)
        self.add_settings(MarrowSettings, self.ui.basicWidget, self.ui.advancedBox, _BASIC)
        self.fusion = FusionSlider(self.ui.fusionSlider)
        for name, slot in (
            ("loadButton", self.on_load),
            ("registerButton", self.on_register),
            ("undoButton", self.on_undo),
            ("regionsButton", self.on_regions),
            ("measureButton", self.on_measure),
            ("tableButton", self.on_table),
            ("marrowReportButton", self.on_report),
        ):
            getattr(self.ui, name).connect("clicked(bool)", slot)
        for name, key in _CHARTS.items():
            getattr(self.ui, name).connect("clicked(bool)", lambda checked=False, key=key: self.on_chart(key))
        self.start_at_home("loadFolderButton", "marrowFolderButton")
        self.ui.mapComboBox.connect("currentIndexChanged(int)", self.on_map)
        self.ui.legendCheckBox.connect("toggled(bool)", self.on_map)

    def enter(self) -> None:
        from BoneQuantPanels.segment_editor import open_editor

        open_editor(self.ui.segmentEditor, _EDITOR)

    def exit(self) -> None:
        from BoneQuantPanels.segment_editor import close_editor

        self.follow(False)
        self.facts.set_node(None)
        close_editor(self.ui.segmentEditor)

    def refresh(self) -> None:
        super().refresh()
        chosen, logic = self.chosen, self.logic
        self.facts.set_node(chosen.functionalVolume)
        no_spect = "" if chosen.functionalVolume else _("Select a SPECT or PET first")
        no_pair = no_spect or ("" if chosen.ctVolume else _("Select a CT first"))
        no_regions = no_spect or ("" if chosen.ctVolume or chosen.regions else _("Select a CT, or draw regions, first"))
        no_result = "" if logic.marrowResult(chosen.functionalVolume) else _("Measure first")
        tables = logic.marrowNodes(chosen.functionalVolume)
        self.enable("registerButton", no_pair, _("Lay the SPECT on the CT; its voxels stay as they are"))
        undo = "" if logic.canUndo(chosen.functionalVolume) else _("Nothing was registered")
        self.enable("undoButton", undo, _("Put the SPECT back where it lay"))
        self.enable("regionsButton", no_pair, _("Find the regions as segments that can be edited"))
        self.enable("measureButton", no_regions, _("Measure uptake and CT numbers in every region"))
        self.enable("tableButton", "" if tables["tables"] else _("Measure first"), _("Show the table of regions"))
        for name, key in _CHARTS.items():
            self.enable(name, "" if key in tables["charts"] else _("Measure first"), _("Show the plot"))
        self.enable("loadButton", "", _("Read the SPECT and the CT in this folder, with all their facts"))
        self.enable("marrowReportButton", no_result, _("Write report, tables, maps and regions to a new folder"))
        self.ui.liveCheckBox.toolTip = no_result or _("Table and plots are measured again with every stroke.")
        self.offer_maps(self.ui.mapComboBox, tables["maps"])
        self._show_quality()
        self.follow(chosen.followRegions and not self.panel.work.running)

    def follow(self, wanted: bool) -> None:
        """Start or stop the table that follows the drawing."""
        from bonequant.mrml.marrow_live import LiveMarrow
        from BoneQuantPanels.later import call_later

        chosen = self.chosen
        result = self.logic.marrowResult(chosen.functionalVolume) if wanted and chosen else None
        regions = chosen.regions if result is not None else None
        live = self.live
        if live is not None and live.running and live.result is result and live.regions is regions:
            return
        if live is not None:
            live.stop()
        self.live = None
        if result is not None and regions is not None:
            self.live = LiveMarrow(
                result,
                self.logic.marrowContent(chosen.functionalVolume),
                regions,
                chosen.functionalVolume,
                chosen.ctVolume,
                schedule=call_later,
            )

    def on_load(self) -> None:
        folder, work = self.ui.loadFolderButton.directory, self.panel.work.run
        loaded = self.run(_("The images could not be loaded."), lambda: self.logic.loadPair(folder, work))
        if loaded is not None:
            self.chosen.functionalVolume, self.chosen.ctVolume = loaded
            self.fusion.show(self.chosen.ctVolume, self.chosen.functionalVolume)

    def on_register(self) -> None:
        chosen = self.chosen
        found = self.run(
            _("The SPECT could not be registered."),
            lambda: self.logic.register(
                chosen.functionalVolume,
                chosen.ctVolume,
                self.settings(self.kind),
                confirmed=chosen.samePatientConfirmed,
                work=self.panel.work.run,
            ),
        )
        if found is not None:
            self.fusion.show(chosen.ctVolume, chosen.functionalVolume)

    def on_undo(self) -> None:
        self.run(
            _("The registration could not be undone."),
            lambda: self.logic.undoRegistration(self.chosen.functionalVolume),
        )

    def on_regions(self) -> None:
        from BoneQuantPanels.segment_editor import edit

        chosen = self.chosen
        found = self.run(
            _("The regions could not be found."),
            lambda: self.logic.findRegions(
                chosen.functionalVolume,
                chosen.ctVolume,
                chosen.regions,
                self.settings(self.kind),
                confirmed=chosen.samePatientConfirmed,
                work=self.panel.work.run,
            ),
        )
        if found is not None:
            chosen.regions = found
            edit(self.ui.segmentEditor, found, chosen.ctVolume)
            self.fusion.show(chosen.ctVolume, chosen.functionalVolume)

    def on_measure(self) -> None:
        from BoneQuantPanels.work import pause

        chosen = self.chosen
        self.follow(False)
        later = (chosen.laterFunctional, chosen.laterCt) if chosen.laterFunctional else None
        nodes = self.run(
            _("The regions could not be measured."),
            lambda: self.logic.measure(
                chosen.functionalVolume,
                chosen.ctVolume,
                chosen.regions,
                self.settings(self.kind),
                later=later,
                confirmed=chosen.samePatientConfirmed,
                work=self.panel.work.run,
            ),
        )
        if nodes is None:
            return
        self.ui.warningsLabel.text = as_warnings(self.logic.marrowResult(chosen.functionalVolume).warnings)
        pause()  # between the steps of showing a large result, for the interface to answer
        chosen.regions = nodes.regions
        pause()
        self.on_map()
        pause()
        self.on_table()

    def on_table(self) -> None:
        from BoneQuantPanels.views import show_table

        show_table(self.logic.marrowNodes(self.chosen.functionalVolume)["tables"]["regions"])

    def on_chart(self, key: str) -> None:
        from BoneQuantPanels.views import show_chart

        show_chart(self.logic.marrowNodes(self.chosen.functionalVolume)["charts"][key])

    def on_map(self) -> None:
        from BoneQuantPanels.views import hide_legend, show_legend

        maps = self.logic.marrowNodes(self.chosen.functionalVolume)["maps"] if self.chosen else {}
        shown = self.shown_map(self.ui.mapComboBox)
        for node in maps.values():
            hide_legend(node)
        if shown is not None:
            self.fusion.show(self.chosen.ctVolume, shown)
            if self.ui.legendCheckBox.checked:
                show_legend(shown, self.logic.unitOf(shown))

    def on_report(self) -> None:
        chosen = self.chosen
        self.write_report(
            "marrow",
            "marrow_perfusion",
            lambda folder: self.logic.writeReport(
                chosen.functionalVolume, folder, identified=chosen.identified, work=self.panel.work.run
            ),
        )

    def _show_quality(self) -> None:
        from BoneQuantPanels.quality_light import show_quality

        found = self.logic.registrationOf(self.chosen.functionalVolume)
        if found is not None:
            show_quality(self.ui.qualityLabel, found.quality.level, found.quality.text)
        elif self.logic.canUndo(self.chosen.functionalVolume):
            show_quality(self.ui.qualityLabel, "", _("Aligned by the transform in the scene; look at the images."))
        else:
            show_quality(self.ui.qualityLabel, "", _("Not registered: Measure will do it."))
