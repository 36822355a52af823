"""
Rule files: text in; rules or diagnostics out.
"""

from cds.rulefiles.diagnostics import Diagnostic, concise, render
from cds.rulefiles.loader import Loaded, load, load_ruleset

__all__ = ["Diagnostic", "Loaded", "concise", "load", "load_ruleset", "render"]
