"""
Rules as pages for readers, generated from what was compiled.
"""
