"""Facts (事实): what each source says of an entry, which statement holds, and who is asked in doubt.

A register shows one value for each field; here stands who said what, since when, and how sure.
`survivorship` says whose word holds; `bulk` takes the statements of a batch, `statements` those
of one entry.
"""
