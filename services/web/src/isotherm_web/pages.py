"""The page: files that Vite built into `static/`, with what browsers may cache and precompressed where they can."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from quart import Blueprint, Response, request
from quart_schema import hide

from isotherm_web.problems import problem

STATIC = Path(__file__).with_name("static")
_FOREVER = "public, max-age=31536000, immutable"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_PRECOMPRESSED = frozenset(suffix for _, suffix in _ENCODINGS)
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
_TEXT = frozenset({"text/javascript", "application/json", "application/manifest+json", "image/svg+xml"})
_MISSING = (
    "The page has not been built, so there is nothing to show here. Run `make up`, which builds it, "
    "or build it by `npm ci && npm run build` in services/web/frontend."
)


@dataclass(frozen=True)
class File:
    """A file as it was when its tag was computed."""

    body: bytes
    etag: str
    stamp: tuple[int, int]


class Files:
    """Reads files below a directory, each once until it changes on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._files: dict[Path, File] = {}

    def get(self, name: str) -> File | None:
        """Return the file, None when there is none of that name below the root."""
        path = self._root / name
        try:
            path = path.resolve()
            if not path.is_relative_to(self._root) or not path.is_file():
                return None
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._files.get(path)
            if known is None or known.stamp != stamp:
                body = path.read_bytes()
                known = File(body, hashlib.sha256(body).hexdigest()[:20], stamp)
                self._files[path] = known
        except (OSError, ValueError):
            return None
        return known


def _serve(files: Files, name: str, cache_control: str) -> Response | None:
    """Answer with a file, or with its compressed form where there is one that the browser takes."""
    file = None if Path(name).suffix in _PRECOMPRESSED else files.get(name)
    if file is None:
        return None
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    for encoding, suffix in _ENCODINGS:
        smaller = files.get(name + suffix) if request.accept_encodings[encoding] else None
        if smaller is not None:
            file = smaller
            headers["Content-Encoding"] = encoding
            break
    headers["ETag"] = f'"{file.etag}"'
    if request.if_none_match.contains_weak(file.etag):
        return Response(b"", 304, headers)
    return Response(file.body, 200, headers, content_type=_content_type(name))


def pages_blueprint(static: Path = STATIC) -> Blueprint:
    """Return the routes of the page and of everything that it loads."""
    blueprint = Blueprint("pages", __name__)
    files = Files(static)

    @blueprint.get("/")
    @hide
    async def index() -> Response:
        return _serve(files, "index.html", "no-cache") or Response(
            _MISSING + "\n", 503, {"Cache-Control": "no-store", "Retry-After": "10"}, mimetype="text/plain"
        )

    @blueprint.get("/assets/<path:name>")
    @hide
    async def asset(name: str) -> Response:
        return _serve(files, f"assets/{name}", _FOREVER) or _not_found(f"/assets/{name}")

    @blueprint.get("/<name>")
    @hide
    async def other(name: str) -> Response:
        return _serve(files, name, "public, max-age=3600") or _not_found(f"/{name}")

    return blueprint


def _content_type(name: str) -> str:
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXT else kind


def _not_found(path: str) -> Response:
    return problem(404, f"There is nothing at {path}.")
