"""
Requests that nobody should send: a good one for every hook, and what is done to it.
"""
