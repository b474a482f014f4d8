"""YAML read safely and strictly: no doubled key, no unknown key, no value of another type.

A misspelt key that is silently ignored is a wrong number later; so every mapping is bound to a dataclass, and what does
not fit is refused with the file, the place and a suggestion.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Hashable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import yaml

from analysis.errors import ParameterError, suggestion
from analysis.locale import Text
from analysis.params.places import params_files
from analysis.periods import Month

if typing.TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")


class _StrictLoader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Safe loading that also refuses a key given twice and reads decimals exactly."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise ParameterError(
                    f"{node.start_mark.name}: key '{key}' stands twice (lines {seen[key]} and {line}); keep one."
                )
            seen[key] = key_node.start_mark.line + 1
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _exact_number(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)).replace("_", ""))


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _exact_number)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; a missing file, broken YAML or a doubled key is refused by name."""
    if not path.is_file():
        beside = {file.stem for file in (*path.parent.glob("*.yml"), *params_files(path.parent.name))}
        near = suggestion(path.stem, sorted(beside))
        raise ParameterError(f"{path.name}: no such file in {path.parent.name}/.{near}")
    try:
        with path.open(encoding="utf-8") as file:
            content = yaml.load(file, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ParameterError(f"{path.name}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{path.name}: should hold keys and values; it holds {type(content).__name__}.")
    return content


def bind(kind: type[D], data: Any, where: str) -> D:
    """``data`` as the dataclass ``kind``; every key known, every required key there, every value of its type."""
    if not isinstance(data, Mapping):
        raise ParameterError(f"{where}: should hold keys and values, not {type(data).__name__} '{data}'.")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for key in data:
        if key not in fields:
            raise ParameterError(
                f"{where}: unknown key '{key}'.{suggestion(str(key), fields)} Known: {', '.join(fields)}."
            )
    missing = [
        name
        for name, field in fields.items()
        if name not in data
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ParameterError(f"{where}: '{missing[0]}' is missing; a value without it does not load.")
    return kind(**{name: convert(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def convert(kind: Any, value: Any, where: str) -> Any:
    """``value`` as the annotated type ``kind``, or a refusal that says what was expected."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ParameterError(
                f"{where}: '{value}' is not allowed.{suggestion(str(value), map(str, arguments))} Allowed: {', '.join(map(str, arguments))}."
            )
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ParameterError(f"{where}: should be a list.")
        return tuple(convert(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin in (dict, Mapping) or (origin is not None and issubclass(origin, Mapping)):
        if not isinstance(value, Mapping):
            raise ParameterError(f"{where}: should hold keys and values.")
        return {
            convert(arguments[0], key, where): convert(arguments[1], item, f"{where}.{key}")
            for key, item in value.items()
        }
    if kind is Text:
        return (
            bind(Text, value, where) if isinstance(value, Mapping) else Text.same(convert(str, value, where))
        )
    if kind is Month:
        return Month.parse(value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return bind(kind, value, where)
    return _scalar(kind, value, where)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is Decimal and isinstance(value, (int, Decimal, str)) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    elif kind is float and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return float(value)
    elif (
        kind is int
        and isinstance(value, int)
        and not isinstance(value, bool)
        or kind is dt.date
        and isinstance(value, dt.date)
        and not isinstance(value, dt.datetime)
        or kind in (str, bool)
        and isinstance(value, kind)
    ):
        return value
    names = {
        str: "text (put it in quotes)",
        bool: "true or false",
        dt.date: "a date such as 2026-10-31",
        Decimal: "a number",
        float: "a number",
        int: "a whole number",
    }
    raise ParameterError(f"{where}: '{value}' should be {names.get(kind, kind)}.")
