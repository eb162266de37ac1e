"""The registers (底数) as a whole: how many of each stand where."""
