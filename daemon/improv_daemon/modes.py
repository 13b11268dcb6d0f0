"""The modes in a few words; imports nothing, for the command line's help."""

from typing import Final

IN_WORDS: Final = {
    "answer": "improv answers when you stop",
    "trade": "you take turns of a few bars",
    "duet": "both play at once",
    "harmonise": "improv adds notes to yours",
    "solo": "improv goes on alone",
    "listen": "improv only listens",
}
"""Mode to what happens in it, so that "answer: ..." reads on."""
