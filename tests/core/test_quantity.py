"""Unit spellings, conversion by table, one rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.quantity import Conversion, Quantity, plain, read_unit, round12, shown


class TestReadUnit:
    """How units are spelled."""

    @pytest.mark.parametrize(
        ("expected", "sent", "is_code"),
        [
            ("mg/dL", "mg/dL", True),
            ("mg/dL", "mg/dl", True),
            ("mmol/L", "mmol/l", True),
            ("u[IU]/mL", "u[iU]/mL", True),
            ("mg/g", "mg/g{creat}", True),
            ("mL/min/{1.73_m2}", "mL/min/{1.73_m2}", True),
            ("mL/min/{1.73_m2}", "mL/min/1.73.m2", True),
            ("mL/min/{1.73_m2}", "mL/min/1.73m2", False),
            ("1", "{score}", True),
            ("1", "", True),
            ("g/d", "g/(24.h)", True),
            ("mm[Hg]", "mmHg", False),
            ("u[IU]/mL", "\u00b5IU/mL", False),
            ("u[IU]/mL", "\u03bcIU/mL", False),
            ("[lb_av]", "lbs", False),
            ("10*3/uL", "K/uL", False),
            ("[lb_av]", "[lb_av]", True),
            ("mol", "mol", True),
            ("mol", "mol", False),
        ],
    )
    def test_spells_what_means_the_same_one_way(
        self, expected: str, sent: str, is_code: bool
    ) -> None:
        """Codes keep their case; only notations of one meaning are joined."""

        assert expected == read_unit(sent, is_code=is_code)

    def test_a_code_is_not_read_like_a_text(self) -> None:
        """`mmHg` is no UCUM code, so it stays what no concept accepts."""

        assert "mmHg" == read_unit("mmHg", is_code=True)


class TestConversion:
    """From and to the canonical unit."""

    def test_same_unit_is_not_touched(self) -> None:
        """Factor one and no offset give the very number."""
        number = Decimal("7.20")

        assert ("7.20", "7.20") == (
            str(Conversion().to_canonical(number)),
            str(Conversion().from_canonical(number)),
        )

    def test_times_and_plus(self) -> None:
        """IFCC to NGSP needs both."""
        ifcc = Conversion(Decimal("0.09148"), Decimal("2.152"))

        assert Decimal("6.54304") == ifcc.to_canonical(Decimal(48))

    @given(st.decimals("0.001", "10000", places=4))
    def test_there_and_back(self, number: Decimal) -> None:
        """Nothing is lost that twelve digits can hold."""
        molar = Conversion(Decimal("18.016"))

        assert round12(number) == round12(molar.from_canonical(molar.to_canonical(number)))

    @pytest.mark.parametrize(
        ("expected", "number"), [(False, "19.9"), (True, "20"), (True, "800"), (False, "800.1")]
    )
    def test_plausible_is_inclusive(self, expected: bool, number: str) -> None:
        """Both ends of the range count as possible."""
        range_ = Conversion(low=Decimal(20), high=Decimal(800))

        assert expected == range_.is_plausible(Decimal(number))

    def test_open_ranges(self) -> None:
        """An end that is not given bounds nothing."""

        assert Conversion().is_plausible(Decimal("1e9"))


class TestNumbers:
    """How numbers are rounded and written."""

    def test_rounds_half_even_to_twelve_digits(self) -> None:
        """The number both evaluators compare."""

        assert Decimal("1.00000000002") == round12(Decimal("1.000000000025"))

    @pytest.mark.parametrize(
        ("expected", "number", "digits"),
        [("4.18", "4.17777", 2), ("139.8", "139.85", 1), ("2", "2.5", 0)],
    )
    def test_shows_rounded_half_even(self, expected: str, number: str, digits: int) -> None:
        """For the reader only; every comparison uses the unrounded number."""

        assert expected == shown(Decimal(number), digits)

    @pytest.mark.parametrize(
        ("expected", "number"), [("7.20", "7.20"), ("0.00001", "1E-5"), ("0", "-0")]
    )
    def test_writes_plainly(self, expected: str, number: str) -> None:
        """As it was sent, without an exponent."""

        assert expected == plain(Decimal(number))

    def test_quantity_reads_aloud(self) -> None:
        """A dimensionless number has no unit to print."""

        assert ("5.8 %", "3") == (
            str(Quantity(Decimal("5.8"), "%")),
            str(Quantity(Decimal(3), "1")),
        )
