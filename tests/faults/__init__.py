"""Known faults of other billing systems, each put into a copy of the bridge to see that a test finds it.

``known.toml`` has them: what goes wrong, where it was seen, a piece of the bridge's own text with what takes its place,
and the tests that must fail then. ``make faults`` tries them all, one after the other.
"""
