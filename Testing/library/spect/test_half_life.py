"""Where the half-life of a study comes from, and a wrong one in the file."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError, MissingFactError
from bonequant.spect import half_life_of
from bonequant.volume import Acquisition


def test_half_life_of_the_file_is_used_and_checked():
    close = Acquisition(radionuclide="177Lu", half_life_s=574300)
    assert half_life_of(close) == (574300, "file", ())
    wrong = Acquisition(radionuclide="99mTc", half_life_s=6.2 * 3600)
    value, origin, warnings = half_life_of(wrong, "scan.dcm")
    assert (value, origin) == (6.2 * 3600, "file")
    assert "scan.dcm" in warnings[0] and "+3.2 %" in warnings[0]
    typed = Acquisition(radionuclide="99mTc").with_typed(half_life_s=6.2 * 3600)
    assert half_life_of(typed)[1] == "typed"


def test_half_life_from_the_table_or_an_error():
    assert half_life_of(Acquisition(radionuclide="Tc-99m"))[0] == pytest.approx(21625.2)
    assert half_life_of(Acquisition(radionuclide="unobtainium", half_life_s=10.0))[0] == 10.0
    with pytest.raises(MissingFactError) as error:
        half_life_of(Acquisition())
    assert error.value.fact == "half_life_s"
    with pytest.raises(InputError, match="unobtainium"):
        half_life_of(Acquisition(radionuclide="unobtainium"))
    with pytest.raises(InputError, match="above zero"):
        half_life_of(Acquisition(half_life_s=0.0))
