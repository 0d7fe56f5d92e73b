"""Settings of an environment that is given: this process's, or another's."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

Settings = TypeVar("Settings", bound=BaseSettings)


class _Given(BaseSettings):
    """Settings that are told, and looked up nowhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - it is called by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is told."""
        return (init_settings,)


def settings_of(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """The settings that an environment gives.

    Raises:
        ValidationError: some are missing, wrong, or do not go together.
    """
    variables = {name: f"RONDO_{name}".upper() for name in kind.model_fields}
    given = cast("type[Settings]", types.new_class(kind.__name__, (_Given, kind)))
    return given.model_validate(
        {name: environ[variable] for name, variable in variables.items() if environ.get(variable)}
    )
