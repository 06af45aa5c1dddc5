"""Queries: weighted terms of words and images, filters and a place; read, printed, added and subtracted.

The grammar is drawn in docs/query.md. Everything here is a value or a pure function: nothing is looked up
until `resolve` is handed a gazetteer.

>>> parse("skyline + night - car near:Barcelona")
parse('skyline + night - car near:Barcelona')
>>> Text("skyline") + Text("night") - Text("car") + Near("Barcelona") == _
True
"""

from cartolina.query.filters import FILE_TYPES, date_range
from cartolina.query.grammar import parse
from cartolina.query.resolve import Resolved, resolve
from cartolina.query.values import Filter, ImageRef, Near, Query, Term, Text

__all__ = [
    "FILE_TYPES",
    "Filter",
    "ImageRef",
    "Near",
    "Query",
    "Resolved",
    "Term",
    "Text",
    "date_range",
    "parse",
    "resolve",
]
