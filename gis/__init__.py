"""The geospatial engine: geometry, coordinate systems, tiles and formats.

It knows no incident, no person, no request and no table of the product; another
product could take this package as it stands.
"""
