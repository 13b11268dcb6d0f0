"""The built-in piano: samples out of numpy alone, with no sample files and no library behind them."""

from improv_daemon.piano.instrument import Piano

__all__ = ["Piano"]
