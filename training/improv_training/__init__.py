"""Corpora to encoded data to an LSTM checkpoint, and its evaluation."""
