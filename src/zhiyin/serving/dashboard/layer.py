"""The layer between the gate and the door of the API: pages go to the site, everything else goes on."""

from starlette.types import ASGIApp, Receive, Scope, Send

from zhiyin.serving.dashboard.site import Site
from zhiyin.serving.door import SAFETY, SAFETY_SCOPE

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: https:",  # pictures of the shop's items
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
).encode()
POLICY_NAME, CACHING = b"content-security-policy", b"cache-control"
PAGES = tuple((name, POLICY if name == POLICY_NAME else value) for name, value in SAFETY)
FILES = tuple((name, value) for name, value in PAGES if name != CACHING)
"""What is said of the files under /static says itself how long it may be kept."""


class Dashboard:
    """A pure ASGI layer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not self._site.has(scope["path"]):
            await self._app(scope, receive, send)
            return
        scope[SAFETY_SCOPE] = FILES if scope["path"].startswith("/static/") else PAGES
        await self._site.app(scope, receive, send)
