"""
How much the cases prove: answers seen, faults noticed, cases that are missing.
"""
