"""Engines for a program that runs on while generations come and go: each request has one, and keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.core.settings import Settings
from gnomon.engine.cache import AnswerCache
from gnomon.engine.engine import Engine
from gnomon.warehouse import Generations


class _Tenant:
    """An engine and how many requests use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.uses = 0


class EngineHouse:
    """Hands out the engine of the generation in service; safe to share between threads.

    A request that has begun ends on the generation that it began with. An older one is closed when its last
    request ends. One that cannot be opened leaves the one before it in use, and `trouble` says why. Where nothing
    has been published the working file is open only while it is asked, so that a build can write to it.

    `cache` keeps answers. Those of a generation are let go with its engine, of which `retire` is told, too.
    """

    def __init__(
        self,
        project_dir: str | Path = ".",
        cache: AnswerCache | None = None,
        retire: Callable[[Engine], None] = lambda engine: None,
    ) -> None:
        self._project_dir = Path(project_dir)
        self._cache = cache
        self._retire = retire
        self._generations = Generations(Settings.read(project_dir=self._project_dir).generations)
        self._current: _Tenant | None = None
        self._failed: str | None = None
        self._is_closed = False
        self._lock = Lock()
        self._opening = Lock()
        self.trouble: str | None = None

    @contextmanager
    def engine(self, *, renews: bool = True) -> Iterator[Engine]:
        """Give the engine for one request; WarehouseError if there is none to be had.

        Without `renews` the one that is open is given, if one is: who may not wait leaves it to `refresh`
        to look for a newer generation.
        """
        tenant = self._enter(renews)
        try:
            yield tenant.engine
        finally:
            self._leave(tenant)

    @property
    def withdrawn(self) -> frozenset[str]:
        """The rollups that are read no more, of the generation that is open."""
        current = self._current
        return frozenset() if current is None else current.engine.withdrawn

    def refresh(self) -> None:
        """Open the generation in service now, so that no request has to wait for it.

        Where nothing has been published nothing is opened: a working file is not to be held for nobody.
        """
        self._failed = None
        if self._find_wanted() is None:
            return
        with self.engine() as engine:
            engine.learn_withdrawn()

    def close(self) -> None:
        """Hand out no more engines; those in use are closed when their requests end."""
        with self._lock:
            self._is_closed = True
            tenant, self._current = self._current, None
            is_idle = tenant is not None and tenant.uses == 0
        if tenant is not None and is_idle:
            self._close(tenant.engine)

    def _enter(self, renews: bool) -> _Tenant:
        while True:
            if renews or self._current is None:
                self._renew()
            with self._lock:
                if self._is_closed:
                    raise WarehouseError("the house of engines is closed. Open another one.")
                if self._current is not None:
                    self._current.uses += 1
                    return self._current

    def _leave(self, tenant: _Tenant) -> None:
        with self._lock:
            tenant.uses -= 1
            is_current = tenant is self._current
            is_done = tenant.uses == 0 and not (is_current and tenant.engine.generation_id is not None)
            if is_done and is_current:
                self._current = None
        if is_done:
            self._close(tenant.engine)

    def _renew(self) -> None:
        """Open what the pointer names unless it is open; one thread does so, the others go on with what there is."""
        wanted = self._find_wanted()
        with self._lock:
            has_any = self._current is not None
            if self._is_closed or self._is_enough(wanted):
                return
        if not self._opening.acquire(blocking=not has_any):
            return
        try:
            with self._lock:
                if self._is_closed or self._is_enough(wanted):
                    return
            self._open(wanted)
        finally:
            self._opening.release()

    def _open(self, wanted: str | None) -> None:
        try:
            engine = Engine.open(self._project_dir, cache=self._cache)
        except GnomonError as error:
            self.trouble, self._failed = str(error), wanted
            if self._current is None:
                raise
            return
        old: _Tenant | None = _Tenant(engine)
        with self._lock:
            # A house that was closed meanwhile takes in nobody.
            if not self._is_closed:
                old, self._current = self._current, old
            is_idle = old is not None and old.uses == 0
        self.trouble = self._failed = None
        if old is not None and is_idle:
            self._close(old.engine)

    def _close(self, engine: Engine) -> None:
        engine.close()
        # A working file is opened anew for the next question, with the same rows.
        if engine.generation_id is None:
            return
        if self._cache is not None:
            self._cache.forget(lambda key: key.data_version == engine.data_version)
        self._retire(engine)

    def _find_wanted(self) -> str | None:
        try:
            service = self._generations.read_service()
        except GnomonError as error:
            current = self._current
            if current is None:
                raise
            self.trouble = str(error)
            return current.engine.generation_id
        return None if service is None else service.serving

    def _is_enough(self, wanted: str | None) -> bool:
        if self._current is None:
            return False
        return self._current.engine.generation_id == wanted or (wanted is not None and wanted == self._failed)
