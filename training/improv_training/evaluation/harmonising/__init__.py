"""Voices that go with a melody, against the chords that are really there."""
