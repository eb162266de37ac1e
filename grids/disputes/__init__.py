"""Disputes (矛盾纠纷): registered, mediated by a named person, agreed or led on, revisited."""
