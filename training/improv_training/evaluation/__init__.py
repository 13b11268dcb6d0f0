"""How well a model predicts music that it has not seen."""
