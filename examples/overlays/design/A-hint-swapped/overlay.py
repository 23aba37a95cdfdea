"""A-hint with the hook after the load.

Source: ours, to ask what the private flag rests on
"""

OVERLAY = Overlay(name="A-hint-swapped", parent="A-hint", arch="svm", source="ours")
