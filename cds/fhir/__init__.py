"""FHIR R4 on its way in and out: what was received becomes facts, drafts become resources."""
