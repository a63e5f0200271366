"""The page holds everything itself, escapes what comes from files, and rounds for the eye only."""

from __future__ import annotations

import math
import re

import pytest
from bonequant import RESEARCH_USE_ONLY
from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text, render
from bonequant.report.page import shown

HOSTILE = "<script>alert(1)</script>\"'&"


def test_every_text_is_escaped() -> None:
    page = Page(
        title=HOSTILE,
        subtitle=HOSTILE,
        headline=[(HOSTILE, HOSTILE, HOSTILE)],
        notices=[Notice("warning", HOSTILE)],
        sections=[
            Section(
                HOSTILE,
                [
                    Text(HOSTILE),
                    Notice("note", HOSTILE),
                    Facts({HOSTILE: HOSTILE}),
                    Table({"a": HOSTILE}, [{"a": HOSTILE}], caption=HOSTILE),
                    Picture(b"png", HOSTILE),
                ],
            ),
            Section(HOSTILE, [Text(HOSTILE)], folded=True),
        ],
    )
    html = render(page)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 17


def test_page_needs_no_network_and_says_research_use() -> None:
    html = render(Page("t", "s", [Section("pictures", [Picture(b"\x89PNG", "caption")])]))
    assert not re.search(r"https?://", html)
    assert "data:image/png;base64," in html
    assert html.count(RESEARCH_USE_ONLY) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (14.73649, "14.74"),
        (0.00123456, "0.001235"),
        (123456.7, "123 457"),
        (1e-9, "1.000e-09"),
        (-3.14159, "-3.142"),
        (True, "yes"),
        (7, "7"),
        ((1.0, 2.5), "1.000, 2.500"),
        ({}, "–"),
    ],
)
def test_values_are_shown_with_four_digits(value: object, text: str) -> None:
    assert shown(value) == text


def test_columns_of_numbers_are_told_from_text() -> None:
    table = Table({"a": "A", "b": "B", "c": "C"}, [{"a": 1.0, "b": "x", "c": None}, {"a": None, "b": 2}])
    assert table.numeric == {"a"}
