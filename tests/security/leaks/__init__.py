"""Seeds personal data into a running city and looks for it everywhere it must not be."""
