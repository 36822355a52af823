"""
What CDS Hooks 2.0.1 asks of a service, restated apart from the code that serves.

Nothing here knows `cds`: the checks are written from the checklist (`checklist.yaml`).
"""
