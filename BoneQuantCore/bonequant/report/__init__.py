"""Reports and result folders: pages of tables and pictures, one self-contained HTML file, CSV and JSON beside it."""

from bonequant.report.folder import free_folder, results_folder
from bonequant.report.page import Facts, Notice, Page, Picture, Section, Table, Text, render
from bonequant.report.tables import jsonable, write_csv, write_json

__all__ = [
    "Facts",
    "Notice",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Text",
    "free_folder",
    "jsonable",
    "render",
    "results_folder",
    "write_csv",
    "write_json",
]
