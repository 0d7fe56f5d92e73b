"""Settings of Redis: where it is, and how a client is let in."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rondo_common.redis.address import Credentials, RedisAddress, Topology, Trust, redis_address


class RedisSettings(BaseSettings):
    """Where Redis (or Valkey) is, and how one is let in."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True, hide_input_in_errors=True)

    redis_url: SecretStr = Field(
        description="redis://user:password@host:port/db, or rediss://… for TLS; of a cluster or of "
        "sentinels, several host:port with commas between"
    )
    redis_topology: Literal["standalone", "cluster", "sentinel"] = Field(
        default="standalone", description="What is at the hosts of the URL"
    )
    redis_ca_file: str = Field(
        default="", description="The authorities to trust, a PEM file; empty: those of the system"
    )
    redis_certificate_file: str = Field(
        default="", description="A client's certificate, a PEM file, where Redis asks for one"
    )
    redis_key_file: str = Field(default="", description="The certificate's key, a PEM file")
    redis_sentinel_service: str = Field(default="", description="What sentinels call the primary")
    redis_sentinel_username: str = Field(default="", description="The user at the sentinels")
    redis_sentinel_password: SecretStr | None = Field(
        default=None, description="Their password, where the sentinels ask for one"
    )
    redis_replicas_min: int = Field(
        default=0,
        ge=0,
        description="How many replicas must have an effect before it counts: what was told is then not "
        "forgotten when one of them takes over",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        self.redis_address()
        return self

    def redis_address(self) -> RedisAddress:
        """Where Redis is, and how one is let in."""
        password = self.redis_sentinel_password
        return redis_address(
            self.redis_url.get_secret_value(),
            topology=Topology(self.redis_topology),
            trust=Trust(self.redis_ca_file, self.redis_certificate_file, self.redis_key_file),
            sentinel_service=self.redis_sentinel_service,
            sentinel_credentials=Credentials(
                self.redis_sentinel_username, "" if password is None else password.get_secret_value()
            ),
            replicas_min=self.redis_replicas_min,
        )
