"""Every deliberate error of improv: one sentence that names what is wrong and what to do."""


class ImprovError(Exception):
    """Base of all errors that are meant for the musician; the command line prints it and exits with 2."""


class MidiFileError(ImprovError):
    """A MIDI file is missing, empty, damaged or holds no notes."""


class ModelFileError(ImprovError):
    """A model file is missing, not ours, or newer than this improv."""


class ConfigError(ImprovError):
    """A setting is unknown, of the wrong type or out of range."""


class PortError(ImprovError):
    """A MIDI port was asked for that is not there."""


class SoundError(ImprovError):
    """Sound was asked for but a library, soundfont or audio driver is missing."""


class StorageError(ImprovError):
    """A file or folder cannot be read or written."""


class DataError(ImprovError):
    """A corpus, split file or encoded data set cannot be used for training."""


class MissingExtraError(ImprovError):
    """A command needs an optional part of improv that is not installed."""
