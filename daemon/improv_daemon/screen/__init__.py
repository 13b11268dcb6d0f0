"""The live view: a small process of its own that draws what the mind tells it, and reads the keys.

Drawing takes milliseconds, which a mind that plays has not got; and whoever owns a terminal must be there to
give it back whatever becomes of the rest. It imports nothing of improv that is heavy.
"""
