"""
Strict JSON: what is refused, and that the quick reader and the slow one never differ.
"""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds.errors import BadRequest
from cds.hooks.strict import decode, decode_slowly, encode

READERS = pytest.mark.parametrize("read", [decode, decode_slowly])


def verdict(read, raw):
    """
    What a reader makes of a text: a value, or nothing at all.
    """
    try:
        return "taken", repr(read(raw))
    except BadRequest:
        return "refused", None


@READERS
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 7.20}', {"a": Decimal("7.20")}),
        (b"1234567890123456789", 1234567890123456789),
        (b"-1234567890123456789", -1234567890123456789),
        (b"1e20", Decimal("1e20")),
        (b"1e-20", Decimal("1e-20")),
        (b'"12345678901234567890"', "12345678901234567890"),
        (b"0.12345678901234567890", Decimal("0.12345678901234567890")),
        (b'"\\u0022\\u0022"', '""'),
        (b'{"\\u0022": "\\""}', {'"': '"'}),
        (b'"\\ud83d\\ude00 \\/ \\u0000"', "\N{GRINNING FACE} / \0"),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b" null ", None),
    ],
)
def test_json_is_read_exactly(read, raw, expected):
    """
    Numbers as written, strings as meant (HTTP-01, T24).
    """
    assert expected == read(raw)


@READERS
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":1}}',
        b"[1,]",
        b'{"a":1,}',
        b"{'a':1}",
        b"// no",
        b'"\t"',
        b"01",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e21",
        b"1e-21",
        b"1e999",
        b"0.123456789012345678901234567890123",
        b"12345678901234567890",
        b"-12345678901234567890",
        b"[12345678901234567890]",
        b'{"a":18446744073709551615}',
        b"1" * 5000,
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":"1","b":2,"a":"\\"\\""}}',
        b'{"a":"\\u0022","a":""}',
        b'{"":1,"":1}',
        b"[" + b"[]," * 200_001 + b"1]",
        b"[" + b"1," * 500_001 + b"1]",
    ],
    ids=lambda raw: raw[:24].decode("ascii", "replace"),
)
def test_anything_else_is_refused(read, raw):
    """
    With a sentence of our own (HTTP-01, T22, T23, T24, T25).
    """
    with pytest.raises(BadRequest) as refusal:
        read(raw)

    assert "$" == refusal.value.path
    assert refusal.value.message.isascii()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a":1,"a":2}', "cannot be taken: an object names a member twice"),
        (b"1e999", "cannot be taken: a number has an exponent beyond 20"),
        (b"[" * 65 + b"]" * 65, "is nested deeper than 64 levels"),
        (b"[" * 100_000, "is nested deeper than 64 levels"),
        (b'{"Zebedee": }', "is not well-formed JSON (byte 12)"),
        (b'"\xed\xa0\x80"', "is not UTF-8"),
    ],
)
def test_a_refusal_says_what_and_where(raw, expected):
    """
    And repeats nothing of the text (ERR-11).
    """
    with pytest.raises(BadRequest) as refusal:
        decode(raw)

    assert expected == refusal.value.message


NUMBERS = st.one_of(
    st.integers(-(10**22), 10**22).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(["NaN", "Infinity", "-0", "1e5", "1E+20", "1e-30", "00", "1.", "-"]),
    st.text("0123456789eE+-.", min_size=1, max_size=24),
)
# Built of pieces that matter to counting: quotation marks, escapes, brackets, digits.
PIECES = st.sampled_from(
    [
        '"',
        "\\",
        '\\"',
        "\\\\",
        "\\u0022",
        "\\u0061",
        "\\/",
        "\\n",
        "a",
        "0" * 20,
        "[",
        "}",
        ":",
        ",",
    ]
)
RAW_STRINGS = st.lists(PIECES, max_size=6).map(lambda parts: '"' + "".join(parts) + '"')
KEYS = st.one_of(
    st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"\\""', '"\\u0022"']), RAW_STRINGS
)
SCALARS = st.one_of(NUMBERS, RAW_STRINGS, st.sampled_from(["true", "false", "null", "tru"]))
SPACE = st.sampled_from(["", " ", "\n\t"])


def containers(inside):
    """
    Arrays and objects as texts, with members named twice now and then.
    """
    member = st.tuples(KEYS, SPACE, inside).map(lambda one: f"{one[0]}{one[1]}:{one[2]}")
    return st.one_of(
        st.lists(inside, max_size=4).map(lambda parts: "[" + ",".join(parts) + "]"),
        st.lists(member, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}"),
    )


TEXTS = st.recursive(SCALARS, containers, max_leaves=12)


@given(TEXTS)
@example('{"a":"\\"","a":""}')
@example('{"a":"\\u0022\\u0022","a":1}')
@example('["12345678901234567890", 12345678901234567890]')
@example('{"a":1,"b":{"a":"]["},"c":["]"]}')
def test_both_readers_give_the_same_verdict(text):
    """
    Taken by both with the same value, or refused by both.
    """
    raw = text.encode()

    assert verdict(decode_slowly, raw) == verdict(decode, raw)


BESIDE = st.sampled_from(
    ['""', '"]["', '"}"', '"{"', '"\\\\"', '"\\""', '"\\\\\\"]"', '"[]"', "1", "[]", "{}"]
)


@given(
    st.integers(60, 68), st.lists(BESIDE, max_size=4), st.lists(BESIDE, max_size=4), st.booleans()
)
def test_levels_are_counted_whatever_strings_hold(levels, before, behind, objects):
    """
    Brackets in strings neither hide a level nor add one (T22).
    """
    opening, closing = ('{"}":', "}") if objects else ("[", "]")
    inside = ",".join([*before, "1"])
    text = opening * (levels - 1) + f"[{inside}]" + closing * (levels - 1)
    text = f"[{text}]" if not behind else f"[{text},{','.join(behind)}]"

    assert verdict(decode_slowly, text.encode()) == verdict(decode, text.encode())


@given(st.binary(max_size=40))
def test_both_readers_agree_on_any_bytes(raw):
    """
    Whatever arrives.
    """
    assert verdict(decode_slowly, raw) == verdict(decode, raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=10,
)


@given(JSON, st.booleans())
def test_what_others_write_is_read(value, ascii_only):
    """
    The standard library's JSON, escaped or not.
    """
    assert value == decode(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8"))


@given(st.dictionaries(st.text(max_size=3), JSON, min_size=1, max_size=4), st.data())
def test_a_member_named_twice_is_always_found(value, data):
    """
    Whichever it is, and whatever the two hold (T23).
    """
    twice = data.draw(st.sampled_from(sorted(value)))
    members = [*value.items(), (twice, data.draw(JSON))]
    data.draw(st.randoms()).shuffle(members)
    text = "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in members) + "}"

    assert ("refused", None) == verdict(decode, text.encode())


def test_what_is_written_keeps_its_numbers():
    """
    Decimal goes out as the number that came in.
    """
    assert b'{"a":7.20}' == encode({"a": Decimal("7.20")})
