"""The release that answers, swapped by one assignment while requests go on."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from zhiyin.data.privacy import PrivacySettings, PseudonymKey, key_from, pseudonym
from zhiyin.errors import ArtifactError
from zhiyin.registry.arrays import MALFORMED
from zhiyin.registry.manifest import Manifest
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

UNFIT = (*MALFORMED, LookupError, RuntimeError, AssertionError, StopIteration)
"""What loading a release and asking it for the first time can raise, where its parts do not fit each other."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Served:
    """A release that has answered once, and the key of its pseudonyms."""

    release: Release
    key: PseudonymKey | None = None
    created: int | None = None
    """When it was trained, µs UTC, if that is known."""

    @classmethod
    def of(cls, release: Release, environment: Mapping[str, str], created: int | None = None) -> "Served":
        """Look up the key, and ask once, so that compiling and filling of caches is over before the first caller.

        Raises
        ------
        ConfigError
            If the release was trained on pseudonyms, and the key is not in the environment.
        """
        settings = PrivacySettings(pseudonymise=bool(release.details.get("pseudonymised")))
        if name := release.details.get("key_env"):
            settings = PrivacySettings(pseudonymise=settings.pseudonymise, key_env=str(name))
        key = key_from(environment, settings)
        release.recommend([*release.users.texts.head(1), "\0"])
        if len(release.items):
            release.similar(release.items.texts[0])
        return cls(release, key, created)

    def person(self, user_id: str) -> str:
        """The id under which a person is stored."""
        return pseudonym(user_id, self.key) if self.key else user_id


class Live:
    """Read `live.served` once per request; whatever happens to it meanwhile, the request ends with what it began."""

    def __init__(
        self, served: Served, registry: Store | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.served = served
        self.problem = ""
        """Why what the registry wants is not served; empty if it is."""
        self.failed: Callable[[], None] = lambda: None
        """Told whenever a release could not be taken."""
        self.registry = registry
        self._changing = threading.Lock()
        self._environment = environment or {}
        self._refused: int | None = None
        self._suits: Callable[[Release], None] | None = None
        self._stopped = False
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, registry: Store, environment: Mapping[str, str]) -> "Live":
        """The release that the registry says.

        Raises
        ------
        ArtifactError
            If none serves yet, or it is missing or damaged.
        """
        number = registry.serving()
        if number is None:
            raise ArtifactError(f"no release serves in {registry.root}: run `zhiyin train` first")
        return cls(_loaded(registry, number, environment), registry, environment)

    def require(self, suits: Callable[[Release], None]) -> None:
        """Have every release looked at before it serves, the present one at once.

        Raises
        ------
        ZhiyinError
            What `suits` raises of the present release; a later one is refused for it.
        """
        suits(self.served.release)
        self._suits = suits

    def reload(self, *, again: bool = False) -> bool:
        """Serve what the registry says now; whether that is another release than before.

        What cannot be loaded is logged once and not tried again until the registry names another, or `again`.
        """
        if self.registry is None:
            return False
        with self._changing:
            return self._reload(self.registry, again=again)

    def promote(self, number: int, when: int, why: str) -> int:
        """Have a release serve, here and in the registry, and only if it can: it is read and asked once before.

        Raises
        ------
        ArtifactError
            If it is missing, damaged or cannot answer: what serves goes on.
        RegistryBusyError
            If another process changes what serves at this moment.
        """
        registry = self._known_registry()
        with self._changing:
            served = self._answering(registry, number)
            registry.promote(number, when, why)
            self._take(served)
        return number

    def rollback(self, when: int) -> int:
        """Have what served before serve again, and say which that is; raises as `promote` does."""
        registry = self._known_registry()
        with self._changing:
            number = next((one.number for one in registry.versions() if one.previous), None)
            served = None if number is None else self._answering(registry, number)
            taken = registry.rollback(when)
            if served is None or taken != number:  # somebody else has changed it meanwhile
                served = self._answering(registry, taken)
            self._take(served)
        return taken

    def _known_registry(self) -> Store:
        if self.registry is None:
            raise ArtifactError("there is no registry: start the service with `zhiyin serve`")
        return self.registry

    def _answering(self, registry: Store, number: int) -> Served:
        try:
            return self._fit(registry, number)
        except ArtifactError:
            raise
        except UNFIT as error:
            raise ArtifactError(f"release {number} cannot be served: {error}") from error

    def _fit(self, registry: Store, number: int) -> Served:
        served = _loaded(registry, number, self._environment)
        if self._suits:
            self._suits(served.release)
        return served

    def _take(self, served: Served) -> None:
        self.served = served
        self.problem, self._refused = "", None
        log.info("release %d serves", served.release.number)

    def _reload(self, registry: Store, *, again: bool) -> bool:
        number: int | None = None
        try:
            number = registry.serving()
            if number in (None, self.served.release.number):
                self.problem, self._refused = "", None
                return False
            if number == self._refused and not again:
                return False
            served = self._fit(registry, number)
        except UNFIT as error:
            current = self.served.release.number
            problem = f"release {number or 'of the registry'} cannot be served, release {current} goes on: {error}"
            if problem != self.problem:
                log.error(problem)
            self.failed()
            self.problem, self._refused = problem, number
            return False
        self._take(served)
        return True

    def watch(self, seconds: float) -> None:
        """Look at the registry every so often, in a thread of its own, until `stop`."""
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, args=(seconds,), name="release-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now, and try again what was refused; safe in a signal handler."""
        self._woken.set()

    def stop(self) -> None:
        """End the watch."""
        self._stopped = True
        self._woken.set()
        if self._thread:
            self._thread.join()

    def _watch(self, seconds: float) -> None:
        while not self._stopped:
            woken = self._woken.wait(seconds)
            self._woken.clear()
            if not self._stopped:
                self.reload(again=woken)


def _loaded(registry: Store, number: int, environment: Mapping[str, str]) -> Served:
    """Read while every byte of it is checked, which each take a quarter of a second; nobody is asked before both."""
    path = registry.path(number)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(Release.read, path, number)
        registry.verified(number)
        release = reading.result()
    return Served.of(release, environment, Manifest.read(path).created)
