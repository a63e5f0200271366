"""The tab of liver perfusion: dynamic CT with two inputs, two readers, 99mTc-MAA beside it or by itself."""

from __future__ import annotations

import dataclasses
from typing import Any

from slicer.i18n import tr as _

from BoneMarrowPerfusionLib.tab import Tab, as_warnings

_BASIC = ("correct_motion", "mask_frame", "pvp_divisor", "delay")
_TABLES = {"liverTissueButton": "tissue", "liverVoxelsButton": "voxels", "liverInputsButton": "inputs"}


class LiverTab(Tab):
    settings_name = "liverSettings"

    def __init__(self, panel: Any) -> None:
        from bonequant.studies.liver_perfusion import LiverSettings
        from bonequant.studies.marrow_perfusion import MarrowSettings
        from BoneQuantPanels.facts_form import Fact, FactsForm
        from BoneQuantPanels.settings_form import SettingsForm

        super().__init__(panel)
        self.kind, self.maa_kind = LiverSettings, MarrowSettings
        unit = [Fact("unit", _("Voxels are in"), needed=True, hint="HU")]
        self.facts = FactsForm(self.ui.liverFactsWidget.layout(), unit, panel.refresh)
        self.add_settings(LiverSettings, self.ui.liverBasicWidget, self.ui.liverAdvancedBox, _BASIC)
        self.maa_form = SettingsForm(
            MarrowSettings,
            self.ui.maaWidget.layout(),
            self._on_maa_settings,
            names=("quantity", "alignment", "maa.activity_gbq", "maa.density_g_per_ml"),
        )
        for name, slot in (
            ("liverLoadButton", self.on_load),
            ("liverMeasureButton", self.on_measure),
            ("liverCurvesButton", self.on_curves),
            ("liverReportButton", self.on_report),
            ("maaMeasureButton", self.on_maa),
            ("maaReportButton", self.on_maa_report),
        ):
            getattr(self.ui, name).connect("clicked(bool)", slot)
        for name, key in _TABLES.items():
            getattr(self.ui, name).connect("clicked(bool)", lambda checked=False, key=key: self.on_table(key))
        self.start_at_home("liverLoadFolderButton", "liverFolderButton")
        self.ui.liverMapComboBox.connect("currentIndexChanged(int)", self.on_map)

    def enter(self) -> None:
        """Nothing is held."""

    def exit(self) -> None:
        self.facts.set_node(None)

    def refresh(self) -> None:
        super().refresh()
        chosen, logic = self.chosen, self.logic
        self.facts.set_node(chosen.liverSeries)
        self.maa_form.set_json(chosen.maaSettings or self._first_maa_settings())
        missing = "" if chosen.liverSeries else _("Select a dynamic CT (a sequence) first")
        missing = missing or ("" if chosen.liverRegions else _("Select the regions first"))
        nodes = logic.seriesNodes(chosen.liverSeries)
        self.enable("liverMeasureButton", missing, _("Measure ALP, PVP and HPI by maximum slope and dual-input model"))
        for name, key in _TABLES.items():
            self.enable(name, "" if key in nodes["tables"] else _("Measure first"), _("Show the table"))
        self.enable("liverCurvesButton", "" if nodes["charts"] else _("Measure first"), _("Show curves and fits"))
        self.enable("liverLoadButton", "", _("Read the dynamic series in this folder"))
        measured = "" if logic.liverResult(chosen.liverSeries) else _("Measure first")
        self.enable("liverReportButton", measured, _("Write report, tables and maps to a new folder"))
        no_maa = "" if chosen.maaSpect else _("Select an MAA SPECT first")
        no_maa = no_maa or ("" if chosen.maaRegions else _("Select regions with liver and tumour_1 first"))
        self.enable("maaMeasureButton", no_maa, _("Tumour to normal ratios, lung shunt, partition model"))
        result = logic.marrowResult(chosen.maaSpect)
        maa_measured = "" if result and result.maa else _("Measure first")
        self.enable("maaReportButton", maa_measured, _("Write the report to the folder above"))
        self.offer_maps(self.ui.liverMapComboBox, nodes["maps"])
        self.ui.maaLabel.text = _maa_text(result.maa) if result is not None and result.maa is not None else ""

    def on_load(self) -> None:
        folder, work = self.ui.liverLoadFolderButton.directory, self.panel.work.run
        node = self.run(_("The series could not be loaded."), lambda: self.logic.loadSeries(folder, work))
        if node is not None:
            self.chosen.liverSeries = node

    def on_measure(self) -> None:
        chosen = self.chosen
        nodes = self.run(
            _("The liver could not be measured."),
            lambda: self.logic.measureLiver(
                chosen.liverSeries,
                chosen.liverRegions,
                chosen.secondReader,
                chosen.maaSpect,
                chosen.maaCt,
                self.settings(self.kind),
                confirmed=chosen.samePatientConfirmed,
                work=self.panel.work.run,
            ),
        )
        if nodes is not None:
            self.ui.liverWarningsLabel.text = as_warnings(self.logic.liverResult(chosen.liverSeries).warnings)
            self.on_map()
            self.on_table("tissue")

    def on_table(self, key: str) -> None:
        from BoneQuantPanels.views import show_table

        show_table(self.logic.seriesNodes(self.chosen.liverSeries)["tables"][key])

    def on_curves(self) -> None:
        from BoneQuantPanels.views import show_chart

        show_chart(self.logic.seriesNodes(self.chosen.liverSeries)["charts"]["curves"])

    def on_map(self) -> None:
        from BoneQuantPanels.views import hide_legend, show_images, show_legend

        maps = self.logic.seriesNodes(self.chosen.liverSeries)["maps"] if self.chosen else {}
        shown = self.shown_map(self.ui.liverMapComboBox)
        for node in maps.values():
            hide_legend(node)
        if shown is not None:
            anatomy = maps["anatomy"]
            show_images(anatomy, shown if shown is not anatomy else None, 0.6)
            if shown is not anatomy:
                show_legend(shown, self.logic.unitOf(shown))

    def on_report(self) -> None:
        series, work = self.chosen.liverSeries, self.panel.work.run
        identified = self.chosen.identified
        self.write_report(
            "liver",
            "liver_perfusion",
            lambda folder: self.logic.writeLiverReport(series, folder, identified=identified, work=work),
        )

    def on_maa(self) -> None:
        chosen = self.chosen
        self.run(
            _("The MAA could not be measured."),
            lambda: self.logic.measure(
                chosen.maaSpect,
                chosen.maaCt,
                chosen.maaRegions,
                self.maa_kind.from_json(chosen.maaSettings or self._first_maa_settings()),
                confirmed=chosen.samePatientConfirmed,
                work=self.panel.work.run,
            ),
        )

    def on_maa_report(self) -> None:
        spect, identified, work = self.chosen.maaSpect, self.chosen.identified, self.panel.work.run
        self.write_report(
            "liver", "maa", lambda folder: self.logic.writeReport(spect, folder, identified=identified, work=work)
        )

    def _first_maa_settings(self) -> str:
        """MAA comes in counts as a rule, and ratios need no calibration."""
        return self.maa_kind(tracer="maa", quantity="native").to_json()

    def _on_maa_settings(self, text: str) -> None:
        if self.chosen is not None:
            self.chosen.maaSettings = dataclasses.replace(self.maa_kind.from_json(text), tracer="maa").to_json()


def _maa_text(maa: Any) -> str:
    lines = [f"T/N {name}: {ratio:.2f}" for name, ratio in maa.tumour_to_normal.items()]
    if maa.lung_shunt is not None:
        lines.append(_("Lung shunt: {percent:.1f} %").format(percent=100 * maa.lung_shunt))
    if maa.partition is not None:
        doses = maa.partition
        lines.append(
            _("Tumour {tumour:.0f} Gy, normal liver {liver:.0f} Gy").format(
                tumour=doses.tumour_gy, liver=doses.normal_liver_gy
            )
        )
    return "<br>".join(lines)
