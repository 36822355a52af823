"""
What stands in an editor: layout, new files, fixes, what a word means, what changed on saving.
"""
