"""Text that a spreadsheet shows and never runs."""

from __future__ import annotations

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def not_a_formula(text: str) -> str:
    """``text``, with an apostrophe in front where a spreadsheet would take it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def without_apostrophe(text: str) -> str:
    """``text`` as it was before :func:`not_a_formula`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_STARTS_A_FORMULA) else text
