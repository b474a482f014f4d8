"""What a number follows from, noted while it is made.

A fact's lineage is one of four kinds (:mod:`analysis.results`): rows, other facts, a model, an assumption. Rows and parents are
stated where the fact is stated. For what a model or a longer computation says, the queries behind it are not listed by hand,
where they could lie: every query that a :func:`traced` function sends is noted, and so is whatever stands behind the objects it
was given. A function's lineage is its own queries and those of its arguments.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, Generic, ParamSpec, TypeVar, overload

from analysis.periods import Month
from analysis.results import Estimated, Fact

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
A = TypeVar("A")

# How deep the containers of an argument or a result are searched for objects whose queries are known.
DEPTH = 3
_SCALARS = (str, int, float, bool, Month, dt.date, Enum)


@dataclass(eq=False)
class Scope:
    """One call of a traced function: its name, its scalar arguments, and the queries noted so far, in order."""

    function: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    reads: dict[str, None] = field(default_factory=dict)


_OPEN: ContextVar[tuple[Scope, ...]] = ContextVar("open_scopes", default=())
# id of an object → (a weak reference that forgets the entry with the object, the queries behind the object)
_BEHIND: dict[int, tuple[weakref.ref[Any], tuple[str, ...]]] = {}


def follow(*queries: str) -> None:
    """Note that everything being computed now depends on these queries."""
    for scope in _OPEN.get():
        scope.reads.update(dict.fromkeys(queries))


def innermost() -> Scope | None:
    """The call that is being made now; None outside every traced function."""
    scopes = _OPEN.get()
    return scopes[-1] if scopes else None


def here() -> Estimated | None:
    """Lineage of a number that the innermost traced function computes; None outside every traced function."""
    scopes = _OPEN.get()
    if not scopes:
        return None
    # a function that was given bare numbers says nothing of where they come from: its caller does
    scope = next((each for each in reversed(scopes) if each.reads), scopes[-1])
    return Estimated(
        function=scope.function,
        within=scopes[0].function,
        queries=tuple(scope.reads),
        parameters=dict(scope.parameters),
    )


@overload
def traced(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def traced(*, name: str) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def traced(function: Any = None, *, name: str = "") -> Any:
    """A function whose queries, and those behind its arguments, are the lineage of the facts it states and of what it returns.

    ``name`` replaces the dotted name where a function stands for another (a study's entry).
    """
    if function is None:
        return functools.partial(traced, name=name)
    signature = inspect.signature(function)
    dotted = name or f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind_partial(*args, **kwargs).arguments
        with scope_of(dotted, bound) as scope:
            given = frozenset(_ids_within(bound))
            result = function(*args, **kwargs)
            remember(result, tuple(scope.reads), given)
        return result

    return call


def traced_once(function: Callable[[A], R]) -> Callable[[A], R]:
    """The same for a function of one object that is dear to compute: once as long as the object lives, its queries counted at every use.

    The result must not hold the object, which would then live for ever. A refusal is not kept.
    """
    found: weakref.WeakKeyDictionary[Any, tuple[R, tuple[str, ...]]] = weakref.WeakKeyDictionary()
    dotted = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def call(given: A) -> R:
        if given not in found:
            with scope_of(dotted, {}) as scope:
                value = function(given)
                remember(value, tuple(scope.reads), frozenset(_ids_within(given)))
            found[given] = value, tuple(scope.reads)
        value, queries = found[given]
        follow(*queries)
        return value

    return call


@contextlib.contextmanager
def scope_of(function: str, arguments: Mapping[str, Any]) -> Iterator[Scope]:
    """A traced call under way; what stands behind its arguments counts from the start."""
    scope = Scope(function=function, parameters=_scalars(arguments))
    for argument in arguments.values():
        scope.reads.update(dict.fromkeys(behind(argument)))
    token = _OPEN.set((*_OPEN.get(), scope))
    try:
        yield scope
    finally:
        _OPEN.reset(token)
        if outer := _OPEN.get():
            # what was computed inside was computed for the caller
            outer[-1].reads.update(scope.reads)


def behind(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """The queries noted for an object, or for what a container or a record of results holds."""
    if isinstance(value, Fact):
        yield from getattr(value.lineage, "queries", ())
        return
    known = _BEHIND.get(id(value))
    if known is not None and known[0]() is value:
        yield from known[1]
        return
    if depth:
        for part in _parts(value):
            yield from behind(part, depth - 1)


def remember(
    value: Any, queries: tuple[str, ...], given: frozenset[int] = frozenset(), depth: int = DEPTH
) -> None:
    """Keep the queries behind an object as long as the object lives; an object that is known already keeps its own.

    ``given`` are the ids of what a function was given: a result that holds its inputs did not make them, and whoever is given
    the same inputs later owes nothing to it.
    """
    if not queries or value is None or isinstance(value, (Fact, *_SCALARS)) or _of_params(value):
        return
    if id(value) in given:
        return
    known = _BEHIND.get(id(value))
    if known is None or known[0]() is not value:
        key = id(value)
        # tuples, lists and dicts take no weak reference: their parts do
        with contextlib.suppress(TypeError):
            _BEHIND[key] = (weakref.ref(value, lambda _: _BEHIND.pop(key, None)), queries)
    if depth:
        for part in _parts(value):
            remember(part, queries, given, depth - 1)


def _ids_within(value: Any, depth: int = DEPTH) -> Iterator[int]:
    """Ids of an object and of what containers and records in it hold."""
    yield id(value)
    if depth:
        for part in _parts(value):
            yield from _ids_within(part, depth - 1)


def _of_params(value: Any) -> bool:
    """What somebody wrote into params follows from no rows, whatever result holds it."""
    return type(value).__module__.startswith("analysis.params.")


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, (tuple, list)):
        yield from value
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            # what is computed on demand and not yet there has no queries yet
            yield value.__dict__.get(part.name) if hasattr(value, "__dict__") else None


def _scalars(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as text: numbers, words, months, days; frames, models and inputs are no parameters."""
    found: dict[str, str] = {}
    for name, value in arguments.items():
        if isinstance(value, _SCALARS):
            found[name] = str(value)
        elif (
            isinstance(value, (tuple, list, frozenset))
            and value
            and all(isinstance(v, _SCALARS) for v in value)
        ):
            listed = sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value)
            found[name] = ", ".join(listed)
    return found


class traced_property(Generic[T]):
    """A property computed once whose queries count at every use.

    Not a :func:`functools.cached_property`: that one steps aside after its first use, and with it the note of the queries.
    """

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> traced_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> traced_property[T] | T:
        if instance is None:
            return self
        kept = f"_traced_{self._name}"
        if kept not in instance.__dict__:
            dotted = f"{owner.__module__}.{owner.__qualname__}.{self._name}"
            with scope_of(dotted, {}) as scope:
                value = self._function(instance)
                remember(value, tuple(scope.reads), frozenset(_ids_within(instance)))
            instance.__dict__[kept] = (value, tuple(scope.reads))
        value, queries = instance.__dict__[kept]
        follow(*queries)
        return value

    def __set__(self, instance: object, value: T) -> None:
        raise AttributeError(f"{self._name} is computed.")
