"""What becomes of a controller that was learned: it is kept, and said."""

from __future__ import annotations

from improv_core.errors import ConfigError
from improv_daemon.partner import Learned


def keep_learned(learned: Learned) -> str:
    """Keep a learned controller in the user's configuration; returns the sentence to say.

    It reads and writes a file, and imports what that takes: to be called in a thread, as with
    ``asyncio.to_thread``, so that no note waits for it.

    Args:
        learned: As the partner told it; it is in force already.
    """
    from improv_daemon.settings.user_file import keep_in_user_file, overruled

    said = f"{learned.controller[:1].upper()}{learned.controller[1:]} is for {learned.key} from now on"
    try:
        path = keep_in_user_file(learned.changes)
    except ConfigError as refusal:
        return f"{said}, but only this time: {refusal}."
    other = next((file for key, _ in learned.changes if (file := overruled(key))), None)
    if other is not None:
        return f"{said}; it is kept in {path}, but {other} in this folder says otherwise and counts for more."
    return f"{said}, and is kept in {path}."
