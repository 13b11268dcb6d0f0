"""The mind of improv, pure: notes, MIDI files, representations, model, improviser, scheduler, ledger."""
