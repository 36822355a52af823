"""
Scopes of both versions of SMART: what a token is good for.
"""

import pytest

from cds.fhir.scopes import Scopes

SEARCH = {"patient": "p", "category": "laboratory,vital-signs", "_count": "50"}


@pytest.mark.parametrize(
    ("scope", "read", "search"),
    [
        ("patient/Observation.read", "whole", "whole"),
        ("user/Observation.read", "whole", "whole"),
        ("system/Observation.read", "whole", "whole"),
        ("patient/*.read", "whole", "whole"),
        ("patient/Observation.*", "whole", "whole"),
        ("user/*.*", "whole", "whole"),
        ("patient/Observation.write", "none", "none"),
        ("patient/Condition.read", "none", "none"),
        ("patient/Observation.rs", "whole", "whole"),
        ("patient/Observation.cruds", "whole", "whole"),
        ("patient/Observation.r", "whole", "none"),
        ("patient/Observation.s", "none", "whole"),
        ("patient/Observation.cud", "none", "none"),
        ("patient/*.rs", "whole", "whole"),
        ("launch/patient openid fhirUser offline_access patient/Observation.rs", "whole", "whole"),
        ("patient/Observation.rs?category=laboratory", "part", "part"),
        ("patient/Observation.rs?category=laboratory,vital-signs", "part", "whole"),
        ("patient/Observation.rs?category=laboratory,vital-signs,survey", "part", "whole"),
        ("patient/Observation.rs?category=laboratory&status=final", "part", "part"),
        (
            "patient/*.rs?category=laboratory patient/Observation.rs?category=vital-signs",
            "part",
            "part",
        ),
        ("patient/Observation.rs?category=laboratory user/Observation.read", "whole", "whole"),
        ("patient/Observation.rs?", "none", "none"),
        ("patient/Observation.rs?category", "part", "part"),
        ("patient/Observation.sr", "none", "none"),
        ("patient/Observation.", "none", "none"),
        ("patient/Observation", "none", "none"),
        ("patient/Observation.readx", "none", "none"),
        ("nobody/Observation.read", "none", "none"),
        ("patient/observation.read", "none", "none"),
        ("patient/Observation.READ", "none", "none"),
        ("", "none", "none"),
        ("launch", "none", "none"),
        ("patient/Observation.read,patient/Condition.read", "none", "none"),
    ],
)
def test_what_a_scope_covers(scope, read, search):
    """
    A table of scopes against a read and a search (FHIR-07).
    """
    scopes = Scopes(scope)

    assert read == scopes.cover("Observation", "read")
    assert search == scopes.cover("Observation", "search", SEARCH)


@pytest.mark.parametrize("resource", ["Patient", "Condition", "MedicationRequest", "Encounter"])
def test_a_scope_is_about_its_resource(resource):
    """
    And about no other one.
    """
    assert "none" == Scopes("patient/Observation.read").cover(resource, "search")
    assert "whole" == Scopes(f"patient/{resource}.read").cover(resource, "search")
    assert "whole" == Scopes("patient/*.read").cover(resource, "search")


def test_a_long_scope_is_read_in_time():
    """
    Whatever stands in it.
    """
    scopes = Scopes(" ".join(["patient/" + "A" * 60 + ".cruds?" + "a=b&" * 500] * 50))

    assert "none" == scopes.cover("Observation", "read")
