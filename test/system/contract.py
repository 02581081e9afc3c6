"""The wire contract for tests, read from proto/genctl.proto itself.

A codec of its own, so that a test can also send what protobuf-c would never make: messages
with unknown fields, cut short, or nonsense. Messages are dicts with the proto's names, enum
values their names; decode() fills in what is absent, except bodies of a oneof and messages.
"""
import os
import re
import struct

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _parse(text):
    text = re.sub(r"//[^\n]*", "", text)
    enums, messages = {}, {}
    for name, body in re.findall(r"enum (\w+) \{(.*?)\}", text, re.S):
        enums[name] = {word: int(n) for word, n in re.findall(r"(\w+) = (\d+);", body)}
    for name, body in re.findall(r"message (\w+) \{((?:[^{}]|\{[^{}]*\})*)\}", text, re.S):
        oneof = "".join(re.findall(r"oneof \w+ \{(.*?)\}", body, re.S))
        messages[name] = {
            field: (int(number), kind, bool(many), field in re.findall(r"(\w+) = \d+;", oneof))
            for many, kind, field, number in
            re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)}
    return enums, messages


with open(os.path.join(TOP, "proto", "genctl.proto"), encoding="ascii") as _file:
    ENUMS, MESSAGES = _parse(_file.read())


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _read_varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return n, at


def _encode_field(number, kind, value):
    if kind in MESSAGES:
        body = encode(kind, value)
    elif kind == "string":
        body = value.encode()
    elif kind in ("fixed64", "sfixed64"):
        return varint(number << 3 | 1) + struct.pack("<q" if kind[0] == "s" else "<Q", value)
    else:
        return varint(number << 3) + varint(ENUMS[kind][value] if kind in ENUMS else int(value))
    return varint(number << 3 | 2) + varint(len(body)) + body


def encode(name, message):
    out = b""
    for field, value in message.items():
        number, kind, many, _ = MESSAGES[name][field]
        for one in value if many else [value]:
            out += _encode_field(number, kind, one)
    return out


def _raw(data):
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        if key & 7 == 0:
            value, at = _read_varint(data, at)
        elif key & 7 == 1:
            value, at = data[at:at + 8], at + 8
        else:
            size, at = _read_varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def _decode_field(kind, value):
    if kind in MESSAGES:
        return decode(kind, value)
    if kind in ENUMS:
        return {n: word for word, n in ENUMS[kind].items()}[value]
    if kind == "string":
        return value.decode()
    if kind in ("fixed64", "sfixed64"):
        return struct.unpack("<q" if kind[0] == "s" else "<Q", value)[0]
    return bool(value) if kind == "bool" else value


def _absent(kind, many):
    if many:
        return []
    if kind in ENUMS:
        return next(iter(ENUMS[kind]))
    return "" if kind == "string" else kind != "bool" and 0


def decode(name, data):
    fields = MESSAGES[name]
    out = {field: _absent(kind, many) for field, (_, kind, many, oneof) in fields.items()
           if many or (kind not in MESSAGES and not oneof)}
    by_number = {number: field for field, (number, _, _, _) in fields.items()}
    for number, value in _raw(data):
        field = by_number[number]
        _, kind, many, _ = fields[field]
        value = _decode_field(kind, value)
        if many:
            out[field].append(value)
        else:
            out[field] = value
    return out


def frame(body):
    return struct.pack(">I", len(body)) + body
