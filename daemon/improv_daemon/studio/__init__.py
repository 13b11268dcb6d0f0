"""improv from Python, for notebooks: load, look, hear, go on.

    from improv_daemon import studio

    piece = studio.load("prelude.mid")
    piece.table()
    studio.plot(piece)
    answer = studio.generate(piece, seconds=20)
    studio.listen(answer)

Importing it is light; matplotlib, the model and the synthesiser are loaded by what needs them.
"""

from improv_daemon.studio.beats import Beats
from improv_daemon.studio.drawing import Picture, plot
from improv_daemon.studio.loading import load
from improv_daemon.studio.making import example, generate
from improv_daemon.studio.pieces import Piece
from improv_daemon.studio.sounding import Player, listen, render
from improv_daemon.studio.tables import table

__all__ = [
    "Beats",
    "Picture",
    "Piece",
    "Player",
    "example",
    "generate",
    "listen",
    "load",
    "plot",
    "render",
    "table",
]
