"""What each path does with a request."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from controller.client.door import ClientError
from controller.domain.printable import printable
from controller.wandb_api.callers import Caller
from controller.wandb_api.faults import Complaints, FaultError, busy
from controller.wandb_api.filestream import read_post
from controller.wandb_api.graphql import Executor, read_request
from controller.wandb_api.guard import Guard
from controller.wandb_api.mirror import Mirror
from controller.wandb_api.reports import Reports
from controller.wandb_api.run_views import Asking
from controller.wandb_api.uploads import PREFIX, Uploads

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 2**20
"""The client posts up to about 10 MiB; a 413 would end its upload for good."""
MAX_FILE_BYTES = 4 * 2**30
BIG_BYTES = 256 * 1024
"""A bigger body is decoded beside the loop."""
BODY_S = 120.0
"""How long a body may be on its way; the client itself gives up after 180 s."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Beside = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


class Handlers:
    """Answers requests."""

    def __init__(
        self,
        mirror: Mirror,
        guard: Guard,
        executor: Executor,
        reports: Reports,
        uploads: Uploads,
        beside: Beside | None = None,
    ) -> None:
        self._mirror = mirror
        self._guard = guard
        self._executor = executor
        self._reports = reports
        self._uploads = uploads
        self._beside = beside
        self._complaints = Complaints(log.warning)
        self.welcome: Callable[[RequestHandler], None] = lambda protocol: None
        """Told of every connection that showed a good key."""

    def app(self) -> web.Application:
        """Return the application with its paths."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guarded])
        app.router.add_post("/graphql", self._graphql)
        app.router.add_post("/files/{entity}/{project}/{run}/file_stream", self._file_stream)
        upload = PREFIX + "/{run}/{signature}/{name}"
        app.router.add_put(upload, self._put)
        app.router.add_get(upload, self._get)
        if self._beside is not None:
            app.router.add_route("*", "/v1/{name}", self._hand_on)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._guard.check(request)
            if not self._mirror.is_ready.is_set():
                raise busy("the controller is starting")
            return await handler(request)
        except FaultError as error:
            return self._fault(request, error.status, str(error))
        except ClientError as error:
            return self._fault(request, 503, str(error))
        except TimeoutError:
            return self._fault(request, 408, "the body did not come in time")
        except web.HTTPException as error:
            return self._fault(request, error.status, error.reason)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.raw_path[:200])
            return self._fault(request, 500, "the controller failed on this request; its log has the details")

    def _fault(self, request: web.Request, status: int, message: str) -> web.Response:
        if "/otel/" not in request.raw_path:  # older clients try their telemetry five times a second
            where = f"{request.method} {request.raw_path[:200]}"
            self._complaints.tell(printable(f"{where}: {status}, {message}"), time.monotonic())
        response = _json(status, {"error": message, "errors": [{"message": message}]})
        if status not in (404, 405):
            response.force_close()
        return response

    async def _caller(self, request: web.Request) -> Caller:
        caller = await self._guard.caller(request, self._mirror.world)
        self.welcome(request.protocol)
        return caller

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        caller = await self._caller(request)
        asked = read_request(await self._json(request))
        answer = await self._executor.answer(asked, Asking(caller, self._url_of(request)))
        return _json(answer.status, answer.body)

    async def _hand_on(self, request: web.Request) -> web.StreamResponse:
        assert self._beside is not None
        return await self._beside(request, await self._caller(request))

    def _url_of(self, request: web.Request) -> str:
        """Return our address as this client wrote it, so that it can come back the same way."""
        return f"{request.scheme}://{request.host}"

    async def _file_stream(self, request: web.Request) -> web.StreamResponse:
        caller = await self._caller(request)
        run = self._mirror.world.runs.get(request.match_info["run"])
        if run is None:
            raise FaultError(404, "there is no such run")
        caller.may_report(run, self._mirror.world.sweeps[run.sweep_id])
        post = read_post(await self._json(request))
        must_stop = await self._reports.take(run, post)
        return _json(200, {"stopped": True} if must_stop else {})

    async def _json(self, request: web.Request) -> Any:
        async with asyncio.timeout(BODY_S):
            text = await request.read()
        try:
            if len(text) > BIG_BYTES:
                return await asyncio.to_thread(json.loads, text)
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FaultError(400, f"the body is no JSON: {str(error)[:200]}") from error

    def _file(self, request: web.Request) -> tuple[str, str]:
        """Return run and file name of a signed path."""
        run_id, name = request.match_info["run"], request.match_info["name"]
        if not self._uploads.is_signed(run_id, request.match_info["signature"], name):
            raise FaultError(403, "this upload path is not signed")
        if run_id not in self._mirror.world.runs:
            raise FaultError(404, "there is no such run")
        self.welcome(request.protocol)
        return run_id, name

    async def _put(self, request: web.Request) -> web.StreamResponse:
        run_id, name = self._file(request)
        if (request.content_length or 0) > MAX_FILE_BYTES:
            raise FaultError(413, "the file is too large")
        try:
            handle, beside = await asyncio.to_thread(self._uploads.start, run_id, name)
            try:
                n_bytes = 0
                with open(handle, "wb") as file:  # noqa: ASYNC230, PTH123 (a descriptor; small writes)
                    async for part in request.content.iter_chunked(256 * 1024):
                        n_bytes += len(part)
                        if n_bytes > MAX_FILE_BYTES:
                            raise FaultError(413, "the file is too large")
                        file.write(part)
                await asyncio.to_thread(self._uploads.finish, run_id, name, beside)
            except BaseException:
                self._uploads.drop(beside)
                raise
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise
            raise FaultError(507, f"the file cannot be kept: {os.strerror(error.errno or 0)}") from error
        return _json(200, {})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        path = self._uploads.find(*self._file(request))
        if not path.is_file():
            raise FaultError(404, "there is no such file")
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})


def _json(status: int, body: Any) -> web.Response:
    response = web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response
