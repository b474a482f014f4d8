"""Fonts that ship with the project under the SIL Open Font License (``OFL.txt``, ``OFL-fallback.txt``), and what they can print.

How they were made: :mod:`analysis.fonts.subset` (Noto Sans SC) and :mod:`analysis.fonts.fallback` (letters that it lacks).
"""
