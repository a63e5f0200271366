"""Lets pyradiomics 3.0.1 build on Python 3.12 and later. On PYTHONPATH only while `make` builds it.

Its old versioneer asks for ``configparser.SafeConfigParser`` and ``readfp``, both removed in Python 3.12.
"""

import configparser

if not hasattr(configparser, "SafeConfigParser"):
    configparser.SafeConfigParser = configparser.RawConfigParser
if not hasattr(configparser.RawConfigParser, "readfp"):
    configparser.RawConfigParser.readfp = lambda self, stream, filename=None: self.read_file(stream, filename)
