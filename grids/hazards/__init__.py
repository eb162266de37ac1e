"""Hazards (隐患): found, ordered to be put right, re-checked, and inspections that find them."""
