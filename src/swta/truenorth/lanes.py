"""Vector instructions that the compiler does not find by itself, written in LLVM's own terms.

A crossbar row is 256 bits. LLVM can take 32 of them as a mask over 32 weights in one instruction,
but only if it is told so; the same holds for turning 16 comparisons into 16 bits. It lowers these
vectors to whatever the processor has (one instruction with AVX-512, a few with AVX2 or NEON).

All arrays must be contiguous; neuron ``j`` is bit ``j mod 64`` of word ``j // 64``. Instructions
that take the record of all arrays address it directly and count no references.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from swta.truenorth.arrays import ALPHA, BETA, LEAK, WEIGHT

_I1, _I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
_ROW = 256  # neurons or axons of a core
_LANES = 32  # of 16 bits, in the widest registers there are
_VECTOR, _MASK = ir.VectorType(_I16, _LANES), ir.VectorType(_I1, _LANES)


def _instruction(define: Callable[..., Any]) -> Any:
    """Make an instruction that compiled code calls without the typing context."""
    return intrinsic(define)


def _pointers(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    pairs = zip(signature.args, args, strict=True)
    return [context.make_array(kind)(context, builder, array).data for kind, array in pairs]


def _address(builder: Any, pointer: Any, index: int, kind: Any) -> Any:
    return builder.bitcast(builder.gep(pointer, [_I64(index)]), kind.as_pointer())


def _field(context: Any, builder: Any, record: Any, value: Any, name: str, index: Any) -> Any:
    """Return the address of an element, counted flat, of one array of a record of arrays."""
    position = record.fields.index(name)
    array = builder.extract_value(value, position)
    data = context.make_array(record.types[position])(context, builder, array).data
    return builder.gep(data, [index])


def _call(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _prefetch(builder: Any, pointer: Any) -> None:
    """Ask for a cache line to be brought to the second level."""
    address = builder.bitcast(pointer, _I8.as_pointer())
    _call(builder, "llvm.prefetch.p0", ir.VoidType(), [address, _I32(0), _I32(2), _I32(1)])


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

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        total_p, row_p, weights_p = _pointers(context, builder, signature, args)
        row_p = builder.bitcast(row_p, _I32.as_pointer())
        for k in range(_ROW // _LANES):
            mask = builder.bitcast(_load(builder, row_p, k, _I32, 4), _MASK)
            weights = _load(builder, weights_p, _LANES * k, _VECTOR, 2)
            old = _load(builder, total_p, _LANES * k, _VECTOR, 2)
            new = builder.select(mask, builder.add(old, weights), old)
            _store(builder, new, total_p, _LANES * k, 2)
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


@_instruction
def prefetch_line(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of one element, counted flat, ahead of its use."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        _prefetch(builder, builder.gep(data, [args[1]]))
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@_instruction
def prefetch_row(typing_context: Any, array: Any, row: Any) -> Any:
    """Ask for one row of a (n, 256) int16 array ahead of its use."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        for k in range(_ROW // _LANES):
            index = builder.add(builder.mul(args[1], _I64(_ROW)), _I64(_LANES * k))
            _prefetch(builder, builder.gep(data, [index]))
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@_instruction
def step_narrow(
    typing_context: Any, s: Any, core: Any, active: Any, k: Any, n: Any, fired: Any
) -> Any:
    """Synapses, leak and thresholds of a core in 16 bits, if every V fits; return whether it does.

    For cores where no neuron reverses its leak and all stop at -beta, with V in ``s.potential``,
    and for at most 127 arrivals, so that their sum and the leak fit. Nothing is written if a V
    does not fit; else V, not yet reset where it has reached the threshold, and ``fired[core]``.

    Args:
        s: the ``ChipArrays``.
        core: the core's index.
        active, k, n: the active axons are ``active[k, :n]``.
        fired: (n_cores, 4) uint64.
    """
    blocks = range(_ROW // _LANES)
    zero = ir.Constant(_VECTOR, None)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        core_row = builder.mul(args[1], _I64(_ROW))

        def field(name: str, index: Any) -> Any:
            return _field(context, builder, signature.args[0], args[0], name, index)

        def parameters(which: Any) -> Any:
            at = builder.load(field("row", builder.add(builder.mul(args[1], _I64(8)), which)))
            return field("table", builder.mul(builder.zext(at, _I64), _I64(_ROW)))

        def load(pointer: Any, block: int) -> Any:
            return _load(builder, pointer, _LANES * block, _VECTOR, 2)

        def element(array: int, index: Any) -> Any:
            data = context.make_array(signature.args[array])(context, builder, args[array]).data
            return builder.gep(data, [index])

        potential, leak = field("potential", core_row), parameters(_I64(LEAK))
        sums = [cgutils.alloca_once_value(builder, load(leak, block)) for block in blocks]
        with cgutils.for_range(builder, args[4]) as loop:
            place = builder.add(builder.mul(args[3], _I64(_ROW)), loop.index)
            axon = builder.add(core_row, builder.zext(builder.load(element(2, place)), _I64))
            kind = builder.zext(builder.load(field("axon_type", axon)), _I64)
            weights = parameters(builder.add(kind, _I64(WEIGHT)))
            row = builder.bitcast(
                field("crossbar", builder.mul(axon, _I64(_ROW // 64))), _I32.as_pointer()
            )
            for block, total in zip(blocks, sums, strict=True):
                mask = builder.bitcast(_load(builder, row, block, _I32, 4), _MASK)
                arriving = builder.select(mask, load(weights, block), zero)
                builder.store(builder.add(builder.load(total), arriving), total)

        lost, after = zero, []
        for block, total in zip(blocks, sums, strict=True):
            v, change = load(potential, block), builder.load(total)
            x = _call(builder, "llvm.sadd.sat.v32i16", _VECTOR, [v, change])
            lost = builder.or_(lost, builder.xor(x, builder.add(v, change)))
            after.append(x)
        any_lost = builder.bitcast(builder.icmp_signed("!=", lost, zero), _I32)
        fits = builder.icmp_unsigned("==", any_lost, _I32(0))
        with builder.if_then(fits, likely=True):
            alpha, beta = parameters(_I64(ALPHA)), parameters(_I64(BETA))
            marks = builder.bitcast(
                element(5, builder.mul(args[1], _I64(_ROW // 64))), _I32.as_pointer()
            )
            for block, x in enumerate(after):
                reached = builder.icmp_signed(">=", x, load(alpha, block))
                _store(builder, builder.bitcast(reached, _I32), marks, block, 4)
                floor = builder.sub(zero, load(beta, block))
                stopped = builder.select(builder.icmp_signed(">", x, floor), x, floor)
                _store(builder, stopped, potential, _LANES * block, 2)
        return fits

    return types.boolean(s, types.int64, active, types.int64, types.int64, fired), generate
