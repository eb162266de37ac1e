"""Which entries are one thing: pairs found by chance of agreement, merged by people, with a way back."""
