"""
Rule files: text in; rules or diagnostics out.
"""

from cds.rulefiles.diagnostics import Diagnostic, concise
from cds.rulefiles.loader import Loaded, load, load_ruleset
from cds.rulefiles.rendering import render

__all__ = ["Diagnostic", "Loaded", "concise", "load", "load_ruleset", "render"]
