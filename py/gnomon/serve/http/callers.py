"""Who asks: the holder of an API key or of a signed token, or nobody in particular where that is allowed."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gnomon.access import Policy
from gnomon.core.errors import AccessError, DefinitionError
from gnomon.state import KeyRing, StateDatabase

_ALGORITHMS = ["RS256", "ES256", "EdDSA"]
_KEY_PREFIX = "gnomon_"
_MOST_REMEMBERED = 10_000
_ASK_FOR_A_KEY = "Send `Authorization: Bearer KEY`; `gnomon keys create` makes one."


class UnknownCallerError(AccessError):
    """Nobody knows who asks."""


class TooManyError(AccessError):
    """A caller asked more often than its role may; `seconds` is when to ask again."""

    def __init__(self, text: str, seconds: int) -> None:
        super().__init__(text)
        self.seconds = seconds


@dataclass(frozen=True)
class Caller:
    """Who asks, and the role of access.yml that decides what it sees."""

    name: str
    role: str


@dataclass(frozen=True)
class TokenReader:
    """Reads JSON Web Tokens signed with the private key that belongs to a public one, for one audience.

    A token needs `sub`, `exp`, `iss`, `aud`, and `gnomon_role`, a role of access.yml.
    """

    public_key: str
    issuer: str
    audience: str

    @classmethod
    def open(cls, key_file: Path, issuer: str, audience: str) -> TokenReader:
        """Return a reader of tokens that fit the public key in `key_file`; DefinitionError if it holds none."""
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            text = key_file.read_text(encoding="utf-8")
            load_pem_public_key(text.encode())
        except (OSError, ValueError) as error:
            raise DefinitionError(f"{key_file}: not a public key in PEM form ({error}).") from None
        return cls(text, issuer, audience)

    def read(self, text: str) -> tuple[Caller, datetime]:
        """Return who the token speaks for and until when; UnknownCallerError says what it lacks."""
        import jwt

        try:
            claims = jwt.decode(
                text,
                self.public_key,
                algorithms=_ALGORITHMS,
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.InvalidTokenError as error:
            raise UnknownCallerError(f"the token is not good: {error}.") from None
        role = claims.get("gnomon_role")
        if not isinstance(role, str):
            raise UnknownCallerError("the token has no claim 'gnomon_role', which names a role of access.yml.")
        return Caller(f"token:{claims['sub']}", role), _read_end(claims["exp"])


def _read_end(seconds: float) -> datetime:
    """Return the moment of a Unix time; what no calendar has is as far away as can be."""
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return datetime.max


@dataclass(frozen=True)
class _Known:
    """Who a header stands for until a moment (UTC), as long as the database of keys is of this version."""

    caller: Caller
    until: datetime | None
    version: object = None


class Callers:
    """Tells who asks, and holds each to its number of questions a minute."""

    def __init__(
        self,
        database: StateDatabase,
        now: Callable[[], datetime],
        tokens: TokenReader | None = None,
        anonymous_role: str | None = None,
    ) -> None:
        self._database = database
        self._keys = KeyRing(database)
        self._now = now
        self._tokens = tokens
        self._anonymous = None if anonymous_role is None else Caller("anonymous", anonymous_role)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def identify(self, authorization: str | None) -> Caller:
        """Return who sends this header; UnknownCallerError if that cannot be told."""
        if authorization is None:
            if self._anonymous is None:
                raise UnknownCallerError(f"nobody is let in without a key here. {_ASK_FOR_A_KEY}")
            return self._anonymous
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise UnknownCallerError(f"the header Authorization has another form. {_ASK_FOR_A_KEY}")
        known = self._find_key(text.strip()) if text.startswith(_KEY_PREFIX) else self._read_token(text.strip())
        self._known[authorization] = known
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return known.caller

    def recall(self, authorization: str | None) -> Caller | None:
        """Return who sent this header before, if nothing can have changed since; else None. It waits for nothing."""
        if authorization is None:
            return self._anonymous
        known = self._known.get(authorization)
        if known is None or (known.until is not None and known.until <= self._now()):
            return None
        if known.version is not None and known.version != self._database.find_version():
            return None
        return known.caller

    def _find_key(self, text: str) -> _Known:
        # Before the key is read: what is written meanwhile makes another version.
        version = self._database.find_version()
        try:
            key = self._keys.find(text, self._now())
        except AccessError as error:
            raise UnknownCallerError(str(error)) from None
        return _Known(Caller(f"key:{key.name}", key.role), key.expires_at, version)

    def _read_token(self, text: str) -> _Known:
        if self._tokens is None:
            raise UnknownCallerError(f"tokens are not read here. {_ASK_FOR_A_KEY}")
        return _Known(*self._tokens.read(text))

    def count(self, caller: Caller, policy: Policy) -> None:
        """Count a question; TooManyError if the role's number for a minute is reached."""
        if policy.per_minute is None:
            return
        now = time.monotonic()
        asked = self._asked.setdefault(caller.name, deque())
        self._asked.move_to_end(caller.name)
        while asked and asked[0] <= now - 60:
            asked.popleft()
        if len(asked) >= policy.per_minute:
            seconds = max(1, round(asked[0] + 60 - now))
            raise TooManyError(
                f"role '{policy.name}' may ask {policy.per_minute} questions a minute. Ask again in {seconds} s.",
                seconds,
            )
        asked.append(now)
        if len(self._asked) > _MOST_REMEMBERED:
            self._asked.popitem(last=False)

    def close(self) -> None:
        """Let go of the database of keys."""
        self._database.close()
