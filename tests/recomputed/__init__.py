"""Printed figures of the sample's October 2026 pack, recomputed straight from its raw tables with other code."""
