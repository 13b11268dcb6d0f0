"""What the stage is told when it starts survives the way to its command line."""

from __future__ import annotations

import pytest

from improv_daemon.stage.config import StageConfig


def test_configuration_survives_json() -> None:
    config = StageConfig(name="duo", api="jack", input="Piano", channel=16, sound="off", gain=1.5)
    assert StageConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ['{"nmae": "duo"}', '{"channel": 0}', '{"sound": "loud"}', "{"])
def test_what_is_no_configuration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"stage configuration|channel|sound|Expecting"):
        StageConfig.from_json(text)
