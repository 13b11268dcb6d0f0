"""How often, and how late, a rule takes a player's turn to be over."""
