"""The form of any response criterion: its fields, typed values, tables of evidence, and the calls that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import qt
from slicer.i18n import tr as _

from DCEResponseLib.evidence import add_cells, add_file, judged


class CriteriaTab:
    """Fills the widgets of the section; ``kept(rows)`` gets the evidence rows (JSON) whenever they change."""

    def __init__(self, ui: Any, kept: Callable[[str], None]) -> None:
        from bonequant.response import criteria

        self.ui, self._kept, self._rows = ui, kept, "[]"
        self._names = list(criteria())
        for name in self._names:
            ui.criterionComboBox.addItem(criteria()[name].title)
        ui.criterionComboBox.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
        ui.criterionComboBox.minimumContentsLength = 12
        ui.judgedLabel.textFormat = qt.Qt.RichText
        ui.evidenceTable.setColumnCount(3)
        ui.evidenceTable.setHorizontalHeaderLabels([_("Evidence"), _("Value"), _("Written as")])
        ui.evidenceTable.verticalHeader().hide()
        ui.evidenceTable.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.ResizeToContents)
        ui.evidenceTable.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.Stretch)
        ui.criterionComboBox.connect("currentIndexChanged(int)", self.show_form)
        ui.entriesSpinBox.connect("valueChanged(int)", self.show_form)
        ui.judgeButton.connect("clicked(bool)", self.on_judge)
        ui.forgetButton.connect("clicked(bool)", lambda *_: self._keep("[]"))
        ui.evidenceFileButton.connect("clicked(bool)", self.on_file)
        self.choose("recist11")

    @property
    def criterion(self) -> str:
        return self._names[self.ui.criterionComboBox.currentIndex]

    def choose(self, name: str) -> None:
        """Show the form of a criterion by its name."""
        self.ui.criterionComboBox.currentIndex = self._names.index(name)
        self.show_form()

    def show_form(self, *_arguments: Any) -> None:
        from bonequant.response import criteria, evidence_fields

        fields, table = evidence_fields(self.criterion, self.ui.entriesSpinBox.value), self.ui.evidenceTable
        table.setRowCount(len(fields))
        for row, field in enumerate(fields):
            name = qt.QTableWidgetItem(field.name + (" *" if field.required else ""))
            kind = qt.QTableWidgetItem(field.kind)
            for item in (name, kind):
                item.setFlags(qt.Qt.ItemIsEnabled)
                item.setToolTip(field.help)
            table.setItem(row, 0, name)
            table.setItem(row, 1, qt.QTableWidgetItem(""))
            table.setItem(row, 2, kind)
        self.ui.criterionLabel.text = criteria()[self.criterion].source

    def cells(self) -> dict[str, str]:
        """What is typed, by the name of the field."""
        table = self.ui.evidenceTable
        rows = range(table.rowCount)
        return {table.item(row, 0).text().removesuffix(" *"): table.item(row, 1).text().strip() for row in rows}

    def type_cells(self, cells: dict[str, str]) -> None:
        """Put values into the form, as the user would."""
        table = self.ui.evidenceTable
        names = [table.item(row, 0).text().removesuffix(" *") for row in range(table.rowCount)]
        for name, value in cells.items():
            table.item(names.index(name), 1).setText(value)

    def on_judge(self, *_arguments: Any) -> None:
        from BoneQuantPanels.work import errors_shown

        with errors_shown(_("This criterion cannot be judged.")):
            self._keep(add_cells(self._rows, self.criterion, self.cells()))

    def on_file(self, *_arguments: Any) -> None:
        from BoneQuantPanels.work import errors_shown

        with errors_shown(_("This table cannot be judged.")):
            self._keep(add_file(self._rows, self.ui.evidencePathLineEdit.currentPath))

    def set_rows(self, rows: str) -> None:
        """Show the calls of the evidence rows that are kept."""
        self._rows = rows or "[]"
        self.ui.forgetButton.enabled = bool(json.loads(self._rows))
        self.ui.forgetButton.toolTip = (
            _("Forget all calls kept") if self.ui.forgetButton.enabled else _("No call is kept yet")
        )
        lines = [
            f"<b>{escape(call.criterion)}</b>, {escape(row.id)}: <b>{escape(call.category)}</b>. {escape(call.rule)}"
            for row, call in judged(self._rows)
        ]
        self.ui.judgedLabel.text = "<br>".join(lines)

    def _keep(self, rows: str) -> None:
        self.set_rows(rows)
        self._kept(self._rows)
