"""
Words that can be read in more than one way.
"""

import pytest

from cds.rulefiles.clearing import clear_amount, clear_flag, clear_version, clear_whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [("yes", "true"), ("On", "true"), ("y", "true"), ("no", "false"), ("OFF", "false")],
)
def test_flags(text, expected):
    """
    As YAML 1.1 reads them.
    """
    assert expected == clear_flag(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("1", "1.0.0"), ("1.2", "1.2.0"), ("1e3", ""), ("1.2.3.4", "")]
)
def test_versions(text, expected):
    """
    A number lacks one or two of its three.
    """
    assert expected == clear_version(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", "1000"),
        ("1_000", "1000"),
        ("3.0", "3"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("3.5", ""),
        ("1,000", ""),
        (".inf", ""),
        ("nan", ""),
        ("1e99", ""),
    ],
)
def test_whole_numbers(text, expected):
    """
    Only what can mean one number.
    """
    assert expected == clear_whole(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3 mg/dL", "1000 mg/dL"),
        ("5,7 %", "5.7 %"),
        (".5", "0.5"),
        ("2.5e-1 h", "0.25 h"),
        ("1_000", "1000"),
        ("1,000 mg", ""),
        ("12 mg", ""),
        ("word", ""),
        ("1e99 mg", ""),
    ],
)
def test_amounts(text, expected):
    """
    A decimal comma and an exponent; what could mean thousands stays.
    """
    assert expected == clear_amount(text)
