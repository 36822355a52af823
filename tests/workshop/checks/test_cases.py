"""
Whether rules have tests at all.
"""

HIGH = "cards/high_glucose.yaml"


def test_a_rule_without_a_case(sample):
    """
    Is an error; a draft may wait, and a retired rule needs none.
    """
    text = (sample.folder / HIGH).read_text("utf-8")
    bare = text[: text.index("tests:\n")]

    assert ["CDS701 `high_glucose` has no tests"] == sample.found({HIGH: bare})
    assert [] == sample.found({HIGH: bare.replace("status: active", "status: draft")})
    assert [] == sample.found(
        {HIGH: bare.replace("status: active", "status: retired\nbecause: Done.")}
    )
