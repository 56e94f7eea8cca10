"""The machinery of the book: run, build, report, claims, command line; it knows no science."""

from swta.paper.chapter import Chapter

__all__ = ["Chapter"]
