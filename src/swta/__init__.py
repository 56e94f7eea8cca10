"""Soft winner-take-all circuits of mouse visual cortex: the library behind the book."""

__version__ = "0.1.0"
