"""The lab as a process: it lives until it is told to stop, its leash ends or a signal comes, and leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from aiohttp import web

from harness.lab import disk
from harness.lab.faults.control import fault_routes
from harness.lab.folder import LabFolder, clear_dead
from harness.lab.image import golden_image
from harness.lab.lab import Lab, Plan

_log = logging.getLogger("harness.lab")


async def serve(
    folder: LabFolder, plan: Plan, *, passing: bool, ready: Callable[[Path], None], until_stdin_closes: bool
) -> None:
    """Run a lab until it has to end; a ``passing`` one takes its folder with it.

    Raises LabIsUp when the folder is held, LabUnavailable when the host lacks something, and OSError when no address is
    free.
    """
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    if until_stdin_closes:
        _follow_stdin(loop, over)
    clear_dead(folder.home)
    with folder.held(passing=passing), _logging_to(folder.log):
        # what a guest locked away only its own user can remove
        await disk.removed(folder.guests)
        building = asyncio.create_task(golden_image(folder.home))
        ending = asyncio.create_task(over.wait())
        await asyncio.wait({building, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not building.done():
            building.cancel()
            await asyncio.gather(building, return_exceptions=True)
            return
        lab = Lab(folder, plan)
        try:
            site = await lab.start(await building)
            async with _control(lab, over):
                _log.info("ready: %s", site)
                ready(site)
                await over.wait()
                _log.info("stopping")
        finally:
            ending.cancel()
            await lab.stop()
            await disk.removed(folder.guests)


def _follow_stdin(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """End when standard input does: a pipe that the starter holds, which the kernel closes even if he is killed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop is closed already: nobody is left to tell
            loop.call_soon_threadsafe(over.set)

    # a thread, because a file or a terminal cannot be watched the way a pipe can
    threading.Thread(target=watch, name="leash", daemon=True).start()


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Write what the lab has to say into its log file."""
    writing = logging.FileHandler(path, encoding="utf-8")
    writing.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("harness")
    logger.addHandler(writing)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(writing)
        writing.close()


@contextlib.asynccontextmanager
async def _control(lab: Lab, over: asyncio.Event) -> AsyncIterator[None]:
    """Answer questions over the folder's socket, which only the owner can open."""

    async def status(_: web.Request) -> web.Response:
        return web.json_response(lab.status())

    async def stop(_: web.Request) -> web.Response:
        over.set()
        return web.Response(text="stopping")

    async def screenshot(request: web.Request) -> web.Response:
        try:
            picture = await lab.screenshot(request.query.get("machine", ""))
        except LookupError as error:
            return web.Response(status=404, text=str(error.args[0]))
        return web.Response(body=picture, content_type="image/png")

    async def hold(request: web.Request) -> web.Response:
        try:
            await lab.hold(request.query.get("machine", ""), request.match_info["how"] == "freeze")
        except LookupError as error:
            return web.Response(status=400, text=str(error.args[0]))
        return web.Response(text="done")

    app = web.Application()
    app.add_routes([web.get("/status", status), web.post("/stop", stop), web.get("/screenshot", screenshot)])
    app.add_routes([web.post("/{how:freeze|thaw}", hold)])
    app.add_routes(fault_routes(lab))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    listening = socket.socket(socket.AF_UNIX)
    with lab.folder.short_control() as place:
        listening.bind(place)
    lab.folder.control.chmod(0o600)
    await web.SockSite(runner, listening).start()
    try:
        yield
    finally:
        await runner.cleanup()
