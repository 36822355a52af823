"""
Decision support for insulin resistance: a FHIR patient in, CDS Hooks cards out.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
