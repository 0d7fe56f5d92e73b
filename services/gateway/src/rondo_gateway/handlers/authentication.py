"""From a credential to who is calling."""

from __future__ import annotations

import hashlib
import hmac

from rondo_common.clock import Clock
from rondo_common.ids import AgentId, WorkspaceId
from rondo_gateway.domain.principals import AgentCaller, Backend, Operator, Principal, VisitorCaller
from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.domain.sign_in import KeptSession, SessionSecret, SessionTimes
from rondo_gateway.domain.tokens import AgentSubject, TokenClaims, subject_exists
from rondo_gateway.ports import DirectoryView, SessionStore, Tokens

API_KEY_PREFIX = "rk_"
REFUSAL = "The credential is not valid (any more). Get a new one."
SIGNED_OUT = "The session has ended. Sign in again."


def sha256_of(api_key: str) -> str:
    """The hash by which an API key is kept, in hexadecimal."""
    return hashlib.sha256(api_key.encode()).hexdigest()


class Authentication:
    """Knows callers by their credentials, as long as what these name exists."""

    def __init__(
        self,
        root_key: str,
        directory: DirectoryView,
        tokens: Tokens,
        sessions: SessionStore,
        session_times: SessionTimes,
        clock: Clock,
    ) -> None:
        self._root_key = root_key.encode()
        self._directory = directory
        self._tokens = tokens
        self._sessions = sessions
        self._session_times = session_times
        self._clock = clock

    async def identify(self, credential: str) -> Principal:
        """Whose credential this is.

        Raises:
            NotAuthenticated: it is nobody's, or of somebody who was deleted.
            Unavailable: it is unknown here, and whether it is known elsewhere cannot be found out.
        """
        if hmac.compare_digest(credential.encode(), self._root_key):
            return Operator()
        if credential.startswith(API_KEY_PREFIX):
            return await self._by_api_key(sha256_of(credential))
        return await self._by_token(self._tokens.read(credential))

    async def identify_session(self, secret: SessionSecret) -> AgentCaller:
        """The agent whose session in a browser this is. It goes on by that.

        Raises:
            NotAuthenticated: it has ended, or its agent was deleted.
            Unavailable: whether it goes on cannot be found out.
        """
        session = await self._session(secret.workspace_id, secret.agent_id, secret.sha256)
        if session is None:
            raise NotAuthenticated(SIGNED_OUT)
        if session.agent.entry_in(self._directory.find(secret.workspace_id)) is None:
            await self._directory.refresh()  # They may have been defined at another gateway just now.
            if session.agent.entry_in(self._directory.find(secret.workspace_id)) is None:
                raise NotAuthenticated(SIGNED_OUT)
        return AgentCaller(secret.workspace_id, secret.agent_id, session.ends_at, secret.sha256)

    async def may_stay(self, caller: Principal) -> bool:
        """Whether a caller identified earlier would be so now; their session goes on by that.

        Raises:
            Unavailable: it cannot be found out.
        """
        if not self._is_still_valid(caller):
            return False
        if not isinstance(caller, AgentCaller) or caller.session_sha256 is None:
            return True
        session = await self._session(caller.workspace_id, caller.agent_id, caller.session_sha256)
        found = self._directory.find(caller.workspace_id)
        return session is not None and session.agent.entry_in(found) is not None

    async def _session(
        self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str
    ) -> KeptSession | None:
        idle_s = self._session_times.idle_s
        return await self._sessions.use(workspace_id, agent_id, sha256, self._clock(), idle_s)

    def _is_still_valid(self, caller: Principal) -> bool:
        """As far as this process has read the directory."""
        match caller:
            case Operator():
                return True
            case Backend(workspace_id=workspace_id, key_id=key_id):
                found = self._directory.find(workspace_id)
                return found is not None and key_id in found.api_keys
            case AgentCaller(workspace_id=workspace_id, agent_id=agent_id):
                found = self._directory.find(workspace_id)
                exists = found is not None and agent_id in found.agents
                return exists and self._clock() < caller.expires_at
            case VisitorCaller(workspace_id=workspace_id):
                exists = self._directory.find(workspace_id) is not None
                return exists and self._clock() < caller.expires_at

    async def _by_api_key(self, sha256: str) -> Backend:
        found = self._directory.find_api_key(sha256)
        if found is None:
            await self._directory.refresh()  # It may have been made at another gateway just now.
            found = self._directory.find_api_key(sha256)
        if found is None:
            raise NotAuthenticated(REFUSAL)
        return Backend(*found)

    async def _by_token(self, claims: TokenClaims) -> AgentCaller | VisitorCaller:
        if not subject_exists(claims, self._directory.find(claims.workspace_id)):
            await self._directory.refresh()
            if not subject_exists(claims, self._directory.find(claims.workspace_id)):
                raise NotAuthenticated(REFUSAL)
        if isinstance(claims.subject, AgentSubject):
            return AgentCaller(claims.workspace_id, claims.subject.id, claims.expires_at)
        subject = claims.subject
        return VisitorCaller(claims.workspace_id, subject.id, claims.expires_at, subject.session)
