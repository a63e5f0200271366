"""Parts of the DCE Response panel, one idea per file. Import them inside functions."""
