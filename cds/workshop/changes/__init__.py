"""
Two versions of the rules, compared in patients.
"""
