"""Continuations that a model plays of held-out calls, beside what the pieces go on with."""
