"""Requests to one server of Metabase, each with a limit of time, and errors that say what became of them.

MetabaseError             the server did not do it
├── RefusedError          it said that the request is wrong, or that there is no such thing (4xx)
├── FailedError           it said that it failed (5xx)
└── LostAnswerError       no answer came: it may have been done
    └── UnreachableError  the request never left

Reading is tried again. A request that makes or changes something is sent again only where it cannot have been done: the
server was never reached, it was too busy (429), or the session was over. After anything else the caller looks first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.errors import AccessError, QueryError, WarehouseError, shorten
from gnomon.publish.metabase.wanted import Json

TRIES = 4
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_BUSY, _NOT_LOGGED_IN, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _FAILED = 429, 401, 403, 404, 409, 500


class MetabaseError(WarehouseError):
    """The server did not do what it was asked."""


class RefusedError(MetabaseError):
    """The server takes the request for wrong; `status` is its HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status

    @property
    def is_missing(self) -> bool:
        """Tell whether there is no such thing."""
        return self.status == _NOT_FOUND

    @property
    def is_conflict(self) -> bool:
        """Tell whether somebody else changed it in between."""
        return self.status == _CONFLICT


class FailedError(MetabaseError):
    """The server says that it failed; `is_over` tells whether it also stopped trying (500), not what stands between."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.is_over = status == _FAILED


class LostAnswerError(MetabaseError):
    """No answer came, so what was asked may have been done."""


class UnreachableError(LostAnswerError):
    """The server was not reached, so nothing was done."""


@dataclass(frozen=True)
class Credentials:
    """An API key, or a user and a password; none of it is ever shown."""

    key: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Credentials:
        """Return what GNOMON_METABASE_KEY, or GNOMON_METABASE_USER and _PASSWORD, say; QueryError if none does."""
        key = environ.get("GNOMON_METABASE_KEY")
        user, password = environ.get("GNOMON_METABASE_USER"), environ.get("GNOMON_METABASE_PASSWORD")
        if key:
            return cls(key=key)
        if user and password:
            return cls(user=user, password=password)
        raise QueryError(
            "nothing says who asks Metabase. Set GNOMON_METABASE_KEY to an API key of an administrator, or "
            "GNOMON_METABASE_USER and GNOMON_METABASE_PASSWORD."
        )


class Transport:
    """One server, asked as one user. `seconds` is the limit of each request; `pause` waits before another try."""

    def __init__(
        self, url: str, credentials: Credentials, *, pause: Callable[[float], None], seconds: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        self._credentials = credentials
        self._seconds = seconds
        self._pause = pause
        self._hidden = [each for each in (credentials.key, credentials.password) if each]
        self._api = _open(self.url)
        self._api.header = {"x-api-key": credentials.key} if credentials.key else None

    def hide(self, secrets: Iterable[str]) -> None:
        """Keep these, too, out of what is quoted of the server's words."""
        self._hidden += [each for each in secrets if each]

    def get(self, path: str, **params: Json) -> Any:
        """Return what the server answers; it is asked again where it fails."""
        for tried in range(1, TRIES + 1):
            try:
                # Metabase knows true and false, not True and False.
                said = {name: str(each).lower() if isinstance(each, bool) else each for name, each in params.items()}
                return self._ask("get", path, params=said)
            except (FailedError, LostAnswerError):
                if tried == TRIES:
                    raise
            self._pause(_FIRST_PAUSE * 2**tried)
        raise AssertionError("the loop ends by itself")

    def find(self, path: str, **params: Json) -> Any:
        """Return what the server answers, or None if there is no such thing."""
        try:
            return self.get(path, **params)
        except RefusedError as error:
            if error.is_missing:
                return None
            raise

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Have something made or run, once; MetabaseError says what may have become of it."""
        return self._ask("post", path, json=body)

    def put(self, path: str, body: Mapping[str, Any], **params: Json) -> Any:
        """Have something changed, once; MetabaseError says what may have become of it."""
        return self._ask("put", path, json=body, params=params)

    def look_up(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask by POST what changes nothing, so it may be asked again."""
        for tried in range(1, TRIES + 1):
            try:
                return self._ask("post", path, json=body)
            except (FailedError, LostAnswerError):
                if tried == TRIES:
                    raise
            self._pause(_FIRST_PAUSE * 2**tried)
        raise AssertionError("the loop ends by itself")

    def _ask(self, verb: str, path: str, **options: Any) -> Any:
        """Ask until there is an answer that means something: it is sent again only where nothing can have been done."""
        if self._api.header is None:
            self._log_in()
        has_logged_in = False
        for tried in range(1, TRIES + 1):
            try:
                answer = self._send(verb, path, **options)
            except UnreachableError:
                if tried == TRIES:
                    raise
                self._pause(_FIRST_PAUSE * 2**tried)
                continue
            if answer.status_code == _NOT_LOGGED_IN and self._credentials.user and not has_logged_in:
                has_logged_in = True
                self._log_in()
            elif answer.status_code == _BUSY and tried < TRIES:
                self._pause(_read_wait(answer.headers.get("Retry-After"), tried))
            else:
                return self._read(verb, path, answer)
        raise FailedError(f"{self._name(verb, path)}: too busy {TRIES} times. Try again later.", _BUSY)

    def _send(self, verb: str, path: str, **options: Any) -> Any:
        from requests import exceptions

        send = getattr(self._api, verb)
        try:
            # A redirect would turn a POST into a GET without a word.
            return send(path, "raw", timeout=self._seconds, allow_redirects=False, **options)
        except exceptions.ConnectTimeout:
            raise UnreachableError(f"{self._name(verb, path)}: no connection within {self._seconds:g} s.") from None
        except exceptions.Timeout:
            raise LostAnswerError(f"{self._name(verb, path)}: no answer within {self._seconds:g} s.") from None
        except exceptions.ConnectionError as error:
            if _was_never_sent(error):
                raise UnreachableError(
                    f"{self._name(verb, path)}: the server is not reached. Is --url right, and does it run?"
                ) from None
            raise LostAnswerError(f"{self._name(verb, path)}: the connection ended before the answer.") from None
        except exceptions.RequestException as error:
            raise LostAnswerError(f"{self._name(verb, path)}: {shorten(str(error))}") from None

    def _log_in(self) -> None:
        who = {"username": self._credentials.user, "password": self._credentials.password}
        for tried in range(1, TRIES + 1):
            # Sent as nobody: an old session would only be refused.
            self._api.header = None
            try:
                answer = self._send("post", "/api/session", json=who)
                said = self._read("post", "/api/session", answer)
                break
            except (RefusedError, AccessError):
                raise AccessError(
                    f"{self.url}: Metabase does not let '{who['username']}' in. Look at GNOMON_METABASE_USER and "
                    "GNOMON_METABASE_PASSWORD; where log-in is by single sign-on, set GNOMON_METABASE_KEY instead."
                ) from None
            except MetabaseError:
                if tried == TRIES:
                    raise
            self._pause(_FIRST_PAUSE * 2**tried)
        self._api.header = {"X-Metabase-Session": said["id"]}

    def _read(self, verb: str, path: str, answer: Any) -> Any:
        name, status = self._name(verb, path), int(answer.status_code)
        said = answer.text.strip().replace("\n", " ")
        for secret in self._hidden:
            said = said.replace(secret, "***")
        text = shorten(said)
        if status in (_NOT_LOGGED_IN, _FORBIDDEN):
            raise AccessError(f"{name}: {status}. The API key or user may not do this; an administrator's is needed.")
        if status >= 500:
            raise FailedError(f"{name}: {status} {text}", status)
        if status >= 300:
            raise RefusedError(f"{name}: {status} {text}", status)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            # Cut short, or a page of something that stands in between.
            raise LostAnswerError(f"{name}: the answer is not JSON: {text}") from None

    def _name(self, verb: str, path: str) -> str:
        return f"{self.url}: {verb.upper()} {path}"


def _open(url: str) -> Any:
    """Return the package's client without what its constructor asks of the server: that has no limit of time."""
    try:
        from metabase_api import Metabase_API
    except ImportError:
        raise WarehouseError(
            'Metabase is reached by the package metabase-api, which is not there. `pip install "gnomon[metabase]"`.'
        ) from None
    api = Metabase_API.__new__(Metabase_API)
    # Without an email it checks no session, which it would ask for before each request, again without a limit.
    api.domain, api.email, api.auth, api.header, api.is_admin = url, None, None, None, True
    return api


def _was_never_sent(error: Exception) -> bool:
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


def _read_wait(text: str | None, tried: int) -> float:
    """Return the seconds that the server asks for, or our own; never very many."""
    try:
        return min(max(float(text or ""), 0.0), _LONGEST_PAUSE)
    except ValueError:
        return _FIRST_PAUSE * 2.0**tried
