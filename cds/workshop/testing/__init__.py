"""
Cases of rule files: read, run, compared with what they expect, reported.
"""
