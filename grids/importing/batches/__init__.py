"""Tables of others come into the registers as batches: staged, checked, taken over, taken back.

A source is a department's feed, with what was learned of its files; a batch is one file of it.
`docs/importing.md` tells the rules; `targets` names what can be imported.
"""
