"""Reading what a company's systems export, without believing any of it yet."""

from analysis.sources.fingerprint import fingerprint
from analysis.sources.folder import SourceFile, SourceFolder, scan_folder
from analysis.sources.readers import (
    RawFile,
    drop_raw,
    read_csv,
    read_parquet,
    read_raw,
)

__all__ = [
    "RawFile",
    "SourceFile",
    "SourceFolder",
    "drop_raw",
    "fingerprint",
    "read_csv",
    "read_parquet",
    "read_raw",
    "scan_folder",
]
