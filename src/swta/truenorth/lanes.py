"""Vector instructions that the compiler does not find by itself, written in LLVM's own terms.

A crossbar row is 256 bits. LLVM can take 32 of them as a mask over 32 weights in one instruction,
but only if it is told so; the same holds for turning 16 comparisons into 16 bits. It lowers these
vectors to whatever the processor has (one instruction with AVX-512, a few with AVX2 or NEON).

All arrays must be contiguous; neuron ``j`` is bit ``j mod 64`` of word ``j // 64``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I1, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 16, 32, 64))


def _instruction(define: Callable[..., Any]) -> Any:
    """Make an instruction that compiled code calls without the typing context."""
    return intrinsic(define)


def _pointers(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    pairs = zip(signature.args, args, strict=True)
    return [context.make_array(kind)(context, builder, array).data for kind, array in pairs]


def _address(builder: Any, pointer: Any, index: int, kind: Any) -> Any:
    return builder.bitcast(builder.gep(pointer, [_I64(index)]), kind.as_pointer())


def _load(builder: Any, pointer: Any, index: int, kind: Any, align: int) -> Any:
    value = builder.load(_address(builder, pointer, index, kind))
    value.align = align
    return value


def _store(builder: Any, value: Any, pointer: Any, index: int, align: int) -> None:
    builder.store(value, _address(builder, pointer, index, value.type)).align = align


@_instruction
def lowest_bit(typing_context: Any, word: Any) -> Any:
    """Return the index of the lowest bit set in a uint64 that is not zero."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], _I1(1))

    return types.int64(types.uint64), generate


@_instruction
def count_bits(typing_context: Any, word: Any) -> Any:
    """Return how many bits of a uint64 are set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@_instruction
def add_weights(typing_context: Any, total: Any, row: Any, weights: Any) -> Any:
    """Add ``weights`` to ``total`` (256 int16 each) where ``row`` (4 uint64) has its bit set."""
    lanes = 32
    vector = ir.VectorType(_I16, lanes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        total_p, row_p, weights_p = _pointers(context, builder, signature, args)
        row_p = builder.bitcast(row_p, _I32.as_pointer())
        zero = ir.Constant(vector, None)
        for k in range(256 // lanes):
            bits = _load(builder, row_p, k, _I32, 4)
            mask = builder.bitcast(bits, ir.VectorType(_I1, lanes))
            arriving = builder.select(mask, _load(builder, weights_p, lanes * k, vector, 2), zero)
            old = _load(builder, total_p, lanes * k, vector, 2)
            _store(builder, builder.add(old, arriving), total_p, lanes * k, 2)
        return context.get_dummy_value()

    return types.void(total, row, weights), generate


@_instruction
def mark_reached(typing_context: Any, potential: Any, threshold: Any, fired: Any) -> Any:
    """Store in ``fired`` (4 uint64) which ``potential`` >= ``threshold`` (256 int32 each)."""
    lanes = 16
    vector = ir.VectorType(_I32, lanes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        potential_p, threshold_p, fired_p = _pointers(context, builder, signature, args)
        fired_p = builder.bitcast(fired_p, _I16.as_pointer())
        for k in range(256 // lanes):
            v = _load(builder, potential_p, lanes * k, vector, 4)
            alpha = _load(builder, threshold_p, lanes * k, vector, 4)
            bits = builder.bitcast(builder.icmp_signed(">=", v, alpha), _I16)
            _store(builder, bits, fired_p, k, 2)
        return context.get_dummy_value()

    return types.void(potential, threshold, fired), generate
