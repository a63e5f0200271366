"""Tables that users write: separators, quotes over several lines, blanks, line numbers, and what is no table."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.io.csv_table import read_csv_table
from bonequant.report import write_csv


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_cells_by_name_and_the_line_on_which_each_row_starts(tmp_path, separator, ending):
    lines = [["id", "note", "value"], ["a", '"two\nlines"', "1"], [" ", " ", " "], ["b", "", " 2 "], ["c"]]
    text = ending.join(separator.join(cells) for cells in lines)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = read_csv_table(tmp_path / "t.csv")
    assert table.columns == ("id", "note", "value")
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, {"id": "a", "note": "two\nlines", "value": "1"}), (5, {"id": "b", "value": "2"}), (6, {"id": "c"}),
    ]  # fmt: skip
    assert table.rows[1].where == f"{tmp_path / 't.csv'}, line 5"


@pytest.mark.parametrize("start", ["\n", "\r\n\r\n", ";;\n"])
def test_blank_lines_before_the_heading_do_not_hide_the_separator(tmp_path, start):
    (tmp_path / "t.csv").write_bytes(f"{start}id;value\na;1,5\n".encode())
    table = read_csv_table(tmp_path / "t.csv")
    assert table.columns == ("id", "value")
    assert [row.cells for row in table.rows] == [{"id": "a", "value": "1,5"}]


def test_what_our_own_tables_guard_against_spreadsheets_comes_back(tmp_path):
    write_csv(tmp_path / "t.csv", [{"id": "-12", "note": "=1+1"}, {"id": "it's", "note": "'quoted'"}])
    assert [row.cells for row in read_csv_table(tmp_path / "t.csv").rows] == [
        {"id": "-12", "note": "=1+1"},
        {"id": "it's", "note": "'quoted'"},
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1,2,3\n", r"line 2: 3 cells for 2 columns"),
        (b"a,a\n1,2\n", r"line 1: the heading has a twice"),
        (b"\na,,b\n1,2,3\n", r"line 2: the heading has an empty name"),
        (b"a,b\n\xff,2\n", "UTF-8"),
        (b'a,b\n1,2\n"open,3\n', "line 3"),
    ],
)
def test_what_is_no_table(tmp_path, content, says):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_csv_table(tmp_path / "t.csv")


def test_no_file_no_row_and_cells_left_to_the_caller(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        read_csv_table(tmp_path / "nowhere.csv")
    (tmp_path / "t.csv").write_text("")
    assert read_csv_table(tmp_path / "t.csv").columns == ()
    (tmp_path / "t.csv").write_text("a\n1,2,3\n")
    assert read_csv_table(tmp_path / "t.csv", extra_cells=True).rows[0].extra == 2
