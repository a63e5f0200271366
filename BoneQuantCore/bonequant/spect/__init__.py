"""spect"""
