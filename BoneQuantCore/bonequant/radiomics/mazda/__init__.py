"""MaZda's 279 features of a 2-D region, in NumPy."""
