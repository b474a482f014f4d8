"""Reading what a company's systems export, without believing any of it yet."""

from analysis.sources.fingerprint import fingerprint
from analysis.sources.folder import SourceFile, SourceFolder, scan_folder
from analysis.sources.mapping import MappedFile, apply_map, told_where
from analysis.sources.maps import EventLog, Lookup, MapEntry, SourceMap, load_map
from analysis.sources.matching import TableShape
from analysis.sources.proposing import propose_for_database, propose_map
from analysis.sources.readers import RawFile, drop_raw, read_csv, read_parquet, read_raw
from analysis.sources.rowmapping import MapNote

__all__ = [
    "EventLog",
    "Lookup",
    "MapEntry",
    "MapNote",
    "MappedFile",
    "RawFile",
    "SourceFile",
    "SourceFolder",
    "SourceMap",
    "TableShape",
    "apply_map",
    "drop_raw",
    "fingerprint",
    "load_map",
    "propose_for_database",
    "propose_map",
    "read_csv",
    "read_parquet",
    "read_raw",
    "scan_folder",
    "told_where",
]
