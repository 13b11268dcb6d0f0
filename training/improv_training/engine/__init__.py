"""The network and what trains it; needs numpy, torch and lightning alone."""
