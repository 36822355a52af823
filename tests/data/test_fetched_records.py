"""
Records of the sample data behind a server: the same by prefetch, by fetch, and by both.
"""

import pytest

from cds.hooks.strict import decode, encode
from tests.calling import _answer
from tests.fhir_server import FhirServer, served
from tests.service.fetching import call, pipeline, templates, told
from tests.shared_data import SHARED, needs_shared_data, read

pytestmark = needs_shared_data

# Of three releases of Synthea, the smallest record each: the larger ones are no other case.
RELEASES = ("synthea-2019", "synthea-2020", "synthea-2021")


def record(release):
    """
    The id of a patient, and every resource of the record.
    """
    folder = SHARED / "synthea" / release
    smallest = min(folder.glob("*.json*"), key=lambda one: (one.stat().st_size, one.name))
    resources = [one["resource"] for one in read(smallest)["entry"]]
    own = next(one["id"] for one in resources if one["resourceType"] == "Patient")
    # In a transaction references are urns; on a server they are not.
    return own, decode(
        encode(resources).replace(f"urn:uuid:{own}".encode(), f"Patient/{own}".encode())
    )


@pytest.mark.parametrize("release", RELEASES)
def test_a_record_is_answered_alike_however_it_comes(release):
    """
    Every word but the uuids (PF-32).
    """
    own, resources = record(release)
    sent = {key: _answer(template, resources) for key, template in templates().items()}
    half = dict(list(sent.items())[::2])
    opened = pipeline()
    with served(FhirServer(resources)) as server:
        expected = told(call(opened, server, own, sent))
        assert [] == server.seen

        assert expected == told(call(opened, server, own))
        assert len(templates()) == len(server.seen)
        assert expected == told(call(opened, server, own, half))
    opened.close()
