"""Canonical tables: read under one contract, proved once, accounted for to the last row, kept as Parquet by month."""

from analysis.tables.contract import ColumnContract, Contract, TableContract, contract, read_contract
from analysis.tables.corrections import Correction, load_corrections
from analysis.tables.dictionary import data_dictionary, write_data_dictionary
from analysis.tables.loading import load_tables
from analysis.tables.store import FileWaterfall, Partition, TableCheck, TableInfo, TableSet

__all__ = [
    "ColumnContract",
    "Contract",
    "Correction",
    "FileWaterfall",
    "Partition",
    "TableCheck",
    "TableContract",
    "TableInfo",
    "TableSet",
    "contract",
    "data_dictionary",
    "load_corrections",
    "load_tables",
    "read_contract",
    "write_data_dictionary",
]
