"""Fonts that ship with the project under the SIL Open Font License (``OFL.txt``); see :mod:`analysis.fonts.subset`."""
