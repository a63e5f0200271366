"""Frame times on the command line: an option, a fact, a file; the same for every dynamic command."""

from __future__ import annotations

from pathlib import Path

import pytest
from bonequant.cli.frame_times import split_times
from bonequant.errors import InputError


def test_times_are_numbers_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "times.txt"
    path.write_text("\ufeff0\n16.43\n32.86\n", encoding="utf-8")
    expected = [0.0, 16.43, 32.86]
    assert split_times(["modality=MR"], "0, 16.43, 32.86") == (["modality=MR"], expected)
    assert split_times([], str(path)) == ([], expected)
    assert split_times(["times_s=0 16.43;32.86", "unit=HU"]) == (["unit=HU"], expected)
    assert split_times(["unit=HU"]) == (["unit=HU"], None)
    assert split_times(["times_s=1,2"], "0,1")[1] == [0.0, 1.0]  # the option goes before the fact
    many = list(range(3000))  # too long for the name of a file
    assert split_times([], ",".join(map(str, many)))[1] == many


@pytest.mark.parametrize("text", ["soon", "0,1,two"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(InputError, match="--times"):
        split_times([], text)
    with pytest.raises(InputError, match="--fact times_s="):
        split_times([f"times_s={text}"])
