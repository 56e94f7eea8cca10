"""The machinery of the book: run, build, report, claims, command line; it knows no science."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swta.paper.chapter import Chapter

__all__ = ["Chapter"]


def __getattr__(name: str) -> Any:
    # Only chapters need `Chapter` and the plotting it brings: the command line starts without.
    if name == "Chapter":
        from swta.paper.chapter import Chapter

        return Chapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
