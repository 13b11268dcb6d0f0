"""The process at the ports: MIDI in and out, thru, schedule, ledger, live synth, and nothing else."""
