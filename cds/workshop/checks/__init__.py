"""
Checks of a whole folder of rule files: each module one family, each a function `check`.
"""
