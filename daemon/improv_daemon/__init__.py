"""The body of improv: stage process, event loop, ports, synth, recorder, command line."""
