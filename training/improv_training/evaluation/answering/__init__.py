"""How improv answers the phrases of held-out pieces, beside what the pieces themselves go on with."""
