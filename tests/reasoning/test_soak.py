"""Twenty thousand patients through one engine: no crash, no drift, no growth."""

import pytest

from tests.reasoning.apart import apart

MEGABYTES = "268435456"
SOAK = """
    import resource, sys
    from itertools import cycle, islice
    from random import Random
    from tests.random_patients import Patients
    from tests.reasoning.release import patient
    from tests.serving import shipped

    reasoner = shipped().reasoner
    engine = reasoner._engine
    patients = Patients(reasoner.rules, Random(3))
    some = [patients.draw() for _ in range(40)]
    nobody = [patient(age=age, sex="unknown", lists={}) for age in (None, 10, *range(20, 38))]
    every = some + nobody
    first = [engine.conclude(one) for one in every]

    def resident():
        with open("/proc/self/statm") as found:
            return int(found.read().split()[1]) * resource.getpagesize() // 1024

    total = int(sys.argv[1])
    for number, (person, expected) in enumerate(islice(cycle(zip(every, first)), total), 1):
        found = engine.conclude(person)
        assert found.answers == expected.answers, number
        assert (found.stage, found.grades) == (expected.stage, expected.grades), number
        if number % (total // 10) == 0:
            print(resident())
"""


@pytest.mark.parametrize("times", [4_000, pytest.param(20_000, marks=pytest.mark.nightly)])
def test_memory_is_flat(times):
    """A third of the patients match nothing; each is answered as the first time."""
    lines = apart(
        SOAK,
        times,
        seconds=300,
        MALLOC_TRIM_THRESHOLD_=MEGABYTES,
        MALLOC_MMAP_THRESHOLD_=MEGABYTES,
    )
    kilobytes = [int(one) for one in lines]

    assert 10 == len(kilobytes)
    # The allocator takes its memory in steps; once warm there is no further one.
    assert kilobytes[-1] < 1.02 * kilobytes[4], kilobytes
    assert kilobytes[-1] < 1.15 * kilobytes[0], kilobytes
