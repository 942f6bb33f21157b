"""A very small assembler for the kernel's classic packet filter language (BPF), as setsockopt takes it.

There are an accumulator A, an index X and sixteen words of memory; offsets are octets of a datagram's payload, and
reading beyond its end makes the program return 0. Jumps go forward only.
"""

import ctypes
import socket
from struct import Struct
from typing import NamedTuple

SO_ATTACH_FILTER = 26
SO_ATTACH_REUSEPORT_CBPF = 51

PACKET_TYPE = 0xFFFFF000 + 4
"""A place to load from that is in no packet: to whom it was sent (SKF_AD_PKTTYPE of linux/filter.h)."""

INTERFACE = 0xFFFFF000 + 8
"""Another one: the index of the interface that it is for, perhaps one above that by which it came (SKF_AD_IFINDEX)."""

_INSTRUCTION = Struct("=HBBI")
_PROGRAM = Struct("@HP")
_LONGEST_JUMP = 255


class Instruction(NamedTuple):
    """``opcode`` as in linux/bpf_common.h; jumps skip so many instructions."""

    opcode: int
    operand: int = 0
    jump_if_true: int = 0
    jump_if_false: int = 0


Program = list[Instruction]


def load_octet(offset: int) -> Instruction:
    """A = payload[offset]"""
    return Instruction(0x30, offset)


def load_word(offset: int) -> Instruction:
    """A = four octets at ``offset``, the first one is the most significant"""
    return Instruction(0x20, offset)


def load_half(offset: int) -> Instruction:
    """A = two octets at ``offset``, or what is known of a packet at a place that is in none"""
    return Instruction(0x28, offset)


def load_half_behind_x(offset: int) -> Instruction:
    """A = two octets at X + ``offset``"""
    return Instruction(0x48, offset)


def ipv4_header_length_to_x(offset: int) -> Instruction:
    """X = octets of the IPv4 header at ``offset``"""
    return Instruction(0xB1, offset)


def load_word_behind_x(offset: int) -> Instruction:
    """A = four octets at X + ``offset``"""
    return Instruction(0x40, offset)


def load_number(number: int) -> Instruction:
    """A = number"""
    return Instruction(0x00, number)


def store(place: int) -> Instruction:
    """memory[place] = A"""
    return Instruction(0x02, place)


def recall(place: int) -> Instruction:
    """A = memory[place]"""
    return Instruction(0x60, place)


def recall_x(place: int) -> Instruction:
    """X = memory[place]"""
    return Instruction(0x61, place)


def copy_to_x() -> Instruction:
    """X = A"""
    return Instruction(0x07)


def exclusive_or_x() -> Instruction:
    """A = A ^ X"""
    return Instruction(0xAC)


def multiply(factor: int) -> Instruction:
    """A = A * factor, of which 32 bits stay"""
    return Instruction(0x24, factor)


def shift_right(bits: int) -> Instruction:
    """A = A >> bits"""
    return Instruction(0x74, bits)


def answer(number: int) -> Instruction:
    """The program's result."""
    return Instruction(0x06, number)


def answer_a() -> Instruction:
    """A is the program's result."""
    return Instruction(0x16)


def if_equal(number: int, block: Program) -> Program:
    """``block`` is run if A = number; without an answer in it, what follows is run after it."""
    return [Instruction(0x15, number, 0, _length(block)), *block]


def unless_equal(number: int, block: Program) -> Program:
    """``block`` is run if A is not ``number``."""
    return [Instruction(0x15, number, _length(block), 0), *block]


def if_less(number: int, block: Program) -> Program:
    """``block`` is run if A < number."""
    return [Instruction(0x35, number, _length(block), 0), *block]


def if_not_less(number: int, block: Program) -> Program:
    """``block`` is run if A >= number."""
    return [Instruction(0x35, number, 0, _length(block)), *block]


def _length(block: Program) -> int:
    assert len(block) <= _LONGEST_JUMP
    return len(block)


def if_any_bit(bits: int, block: Program) -> Program:
    """``block`` is run if A has any of ``bits``."""
    return [Instruction(0x45, bits, 0, _length(block)), *block]


def attach_to_reuseport(socket_: socket.socket, program: Program) -> None:
    """``program`` says from now on which socket of the group of ``socket_`` gets a datagram, by the order of binding.

    OSError: the kernel does not take it.
    """
    _attach(socket_, SO_ATTACH_REUSEPORT_CBPF, program)


def attach_filter(socket_: socket.socket, program: Program) -> None:
    """``program`` says from now on how many octets of a packet ``socket_`` gets; none: it does not get it.

    OSError: the kernel does not take it.
    """
    _attach(socket_, SO_ATTACH_FILTER, program)


def _attach(socket_: socket.socket, option: int, program: Program) -> None:
    octets = b"".join(
        _INSTRUCTION.pack(i.opcode, i.jump_if_true, i.jump_if_false, i.operand) for i in program
    )
    kept = ctypes.create_string_buffer(octets, len(octets))
    described = _PROGRAM.pack(len(program), ctypes.addressof(kept))
    socket_.setsockopt(socket.SOL_SOCKET, option, described)
