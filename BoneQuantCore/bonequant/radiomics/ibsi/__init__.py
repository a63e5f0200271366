"""IBSI features of a 3-D region: image processing, own features, and pyradiomics' texture and shape classes."""
