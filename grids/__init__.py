"""The domain of grid governance: tables, rules and services. Knows SQL, knows no request."""
