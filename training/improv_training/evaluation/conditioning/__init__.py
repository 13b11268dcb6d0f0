"""Whether asking changes the music: what each condition of a model does, on held-out pieces."""
