"""The tables of a trace file that are JSON: what the columns point into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracer.archive import DamageError
from tracer.encoding import UnwritableError, decoded, encoded
from tracer.errors import TraceFileError
from tracer.nodes import Guard
from tracer.places import Place, SourceFile
from tracer.recording import ScopeEntry
from tracer.standins import described, operation
from tracer.traces import Trace


def tables_of(trace: Trace) -> dict[str, Any]:
    """The interned tables of a trace, as JSON. Raises `TraceFileError` for a value that has no form in a file."""
    files: dict[str, int] = {}
    functions: dict[str, int] = {}
    places = [
        [
            files.setdefault(place.file, len(files)),
            *(place.line, place.end_line, place.column, place.end_column),
            functions.setdefault(place.function, len(functions)),
        ]
        for place in trace.places
    ]
    scopes = [
        [[entry.name, entry.key, _form(entry.index, "a scope")] for entry in scope]
        for scope in trace.scopes
    ]
    return {
        "ops": [described(op) for op in trace.ops],
        "literals": [_form(each, "a number in it") for each in trace.literals],
        "params": [_form(dict(each), "the parameters") for each in trace.params],
        "scopes": scopes,
        "files": list(files),
        "functions": list(functions),
        "places": places,
        "given_names": [[node, name] for node, name in trace.given_names.items()],
        "guards": [_guard_form(each) for each in trace.guards],
        "flipped": [_guard_form(each) for each in trace.flipped],
        "sources": {file: [source.text, source.sha256] for file, source in trace.sources.items()},
        "meta": _form(dict(trace.meta), "the meta"),
    }


def read_tables(document: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a document, as the fields of a `Trace`. Raises `DamageError` for what is not of its kind."""
    sources = mapping(document["sources"]).items()
    return {
        "ops": tuple(operation(form) for form in rows(document, "ops")),
        "literals": tuple(decoded(form) for form in rows(document, "literals")),
        "params": tuple(mapping(decoded(form)) for form in rows(document, "params")),
        "scopes": tuple(tuple(map(_entry, scope)) for scope in rows(document, "scopes")),
        "places": _places(document),
        "given_names": {whole(node): text(name) for node, name in rows(document, "given_names")},
        "guards": tuple(_guard(*form) for form in rows(document, "guards")),
        "flipped": tuple(_guard(*form) for form in rows(document, "flipped")),
        "sources": {
            file: SourceFile(text(words), text(sha256)) for file, (words, sha256) in sources
        },
        "meta": mapping(decoded(document["meta"])),
    }


def _form(value: Any, what: str) -> Any:
    try:
        return encoded(value)
    except UnwritableError as error:
        raise TraceFileError(
            f"the trace cannot be saved: {what} {value!r:.60} holds {error}, which has no form in a file\n"
            f"  try: numbers, strings, tuples and slices as parameters; arrays as inputs of the operation"
        ) from None


def _guard_form(guard: Guard) -> list[Any]:
    return [guard.node, guard.kind, _form(guard.result, "a guard"), guard.place]


def _guard(node: Any, kind: Any, result: Any, place: Any) -> Guard:
    return Guard(whole(node), text(kind), decoded(result), whole(place))


def _entry(form: Any) -> ScopeEntry:
    name, key, index = form
    found = decoded(index)
    if not (found is None or isinstance(found, (int, str))):
        raise DamageError("the index of a scope is neither a number nor a word")
    return ScopeEntry(text(name), text(key), found)


def _places(document: Mapping[str, Any]) -> tuple[Place, ...]:
    files = [text(each) for each in rows(document, "files")]
    functions = [text(each) for each in rows(document, "functions")]
    places = []
    for form in rows(document, "places"):
        file, line, end_line, column, end_column, function = map(whole, form)
        if not (0 <= file < len(files) and 0 <= function < len(functions)):
            raise DamageError("a place points beyond the table of files")
        places.append(Place(files[file], line, end_line, column, end_column, functions[function]))
    return tuple(places)


def rows(document: Mapping[str, Any], key: str) -> list[Any]:
    """The list of that name in a document."""
    found = document[key]
    if not isinstance(found, list):
        raise DamageError(f"its {key} is no list")
    return found


def mapping(found: Any) -> dict[str, Any]:
    """An object of JSON, as it is."""
    if not isinstance(found, dict):
        raise DamageError("a table of it has no names")
    return found


def text(found: Any) -> str:
    """A string of JSON, as it is."""
    if not isinstance(found, str):
        raise DamageError("a name in it is no text")
    return found


def whole(found: Any) -> int:
    """A whole number of JSON that fits 64 bits, as it is."""
    if type(found) is not int or not -(2**63) <= found < 2**63:
        raise DamageError("a count in it is no whole number")
    return found
