"""The tab of dynamic SPECT: time-activity curves of drawn regions and their kinetics."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from BoneMarrowPerfusionLib.tab import Tab, as_warnings

_BASIC = ("decay", "input_region", "one_tissue", "patlak", "patlak_from_s", "scan_start_s")


class DynamicTab(Tab):
    settings_name = "dynamicSettings"

    def __init__(self, panel: Any) -> None:
        from bonequant.studies.dynamic_spect import DynamicSpectSettings
        from BoneQuantPanels.facts_form import Fact, FactsForm

        super().__init__(panel)
        self.kind = DynamicSpectSettings
        facts = [
            Fact("unit", _("Voxels are in"), needed=True),
            Fact("radionuclide", _("Radionuclide"), needed=True),
            Fact("injection_time", _("Injection")),
            Fact("acquisition_start", _("Start of scan")),
        ]
        self.facts = FactsForm(self.ui.dynamicFactsWidget.layout(), facts, panel.refresh)
        self.add_settings(DynamicSpectSettings, self.ui.dynamicBasicWidget, self.ui.dynamicAdvancedBox, _BASIC)
        for name, slot in (
            ("dynamicLoadButton", self.on_load),
            ("dynamicMeasureButton", self.on_measure),
            ("dynamicTableButton", self.on_table),
            ("dynamicCurvesButton", self.on_curves),
            ("dynamicReportButton", self.on_report),
        ):
            getattr(self.ui, name).connect("clicked(bool)", slot)
        self.start_at_home("dynamicLoadFolderButton", "dynamicFolderButton")

    def enter(self) -> None:
        """Nothing is held."""

    def exit(self) -> None:
        self.facts.set_node(None)

    def refresh(self) -> None:
        super().refresh()
        chosen, logic = self.chosen, self.logic
        self.facts.set_node(chosen.dynamicSeries)
        missing = "" if chosen.dynamicSeries else _("Select a dynamic SPECT (a sequence) first")
        missing = missing or ("" if chosen.dynamicRegions else _("Select regions drawn on a frame first"))
        nodes = logic.seriesNodes(chosen.dynamicSeries)
        self.enable("dynamicMeasureButton", missing, _("Measure time-activity curves and their kinetics"))
        self.enable("dynamicTableButton", "" if nodes["tables"] else _("Measure first"), _("Show the table"))
        self.enable("dynamicCurvesButton", "" if nodes["charts"] else _("Measure first"), _("Show the curves"))
        self.enable("dynamicLoadButton", "", _("Read the dynamic series in this folder"))
        measured = "" if logic.dynamicResult(chosen.dynamicSeries) else _("Measure first")
        self.enable("dynamicReportButton", measured, _("Write report, table and curves to a new folder"))

    def on_load(self) -> None:
        folder, work = self.ui.dynamicLoadFolderButton.directory, self.panel.work.run
        node = self.run(_("The series could not be loaded."), lambda: self.logic.loadSeries(folder, work))
        if node is not None:
            self.chosen.dynamicSeries = node

    def on_measure(self) -> None:
        chosen = self.chosen
        nodes = self.run(
            _("The kinetics could not be measured."),
            lambda: self.logic.measureDynamic(
                chosen.dynamicSeries, chosen.dynamicRegions, self.settings(self.kind), work=self.panel.work.run
            ),
        )
        if nodes is not None:
            self.ui.dynamicWarningsLabel.text = as_warnings(self.logic.dynamicResult(chosen.dynamicSeries).warnings)
            self.on_curves()

    def on_table(self) -> None:
        from BoneQuantPanels.views import show_table

        show_table(self.logic.seriesNodes(self.chosen.dynamicSeries)["tables"]["regions"])

    def on_curves(self) -> None:
        from BoneQuantPanels.views import show_chart

        show_chart(self.logic.seriesNodes(self.chosen.dynamicSeries)["charts"]["curves"])

    def on_report(self) -> None:
        series, work, identified = self.chosen.dynamicSeries, self.panel.work.run, self.chosen.identified
        self.write_report(
            "dynamic",
            "dynamic_spect",
            lambda folder: self.logic.writeDynamicReport(series, folder, identified=identified, work=work),
        )
