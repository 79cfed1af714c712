"""Faults over the lab's control socket: ``GET /faults``, ``POST /faults?name=...`` and ``DELETE /faults``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from harness.lab.lab import Lab


def fault_routes(lab: Lab) -> list[web.RouteDef]:
    """Make the routes: each answers with the faults that are asked for then, as JSON."""

    def asked() -> web.Response:
        return web.json_response([each.described() for each in lab.faults.all()])

    async def tell(_: web.Request) -> web.Response:
        return asked()

    async def ask(request: web.Request) -> web.Response:
        query = dict(request.query)
        try:
            asked_now = lab.ask_for(
                query.pop("name", ""),
                machine=query.pop("machine", ""),
                times=int(query.pop("times")) if "times" in query else None,
                seconds=float(query.pop("seconds")) if "seconds" in query else None,
                **query,
            )
            await lab.faults.settled(asked_now)
        except (ValueError, LookupError) as error:
            return web.Response(status=400, text=str(error.args[0]))
        return asked()

    async def clear(request: web.Request) -> web.Response:
        try:
            gone = lab.faults.clear(request.query.get("name", ""), request.query.get("machine", "").rpartition("/")[2])
            await lab.faults.settled(*gone)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return asked()

    return [web.get("/faults", tell), web.post("/faults", ask), web.delete("/faults", clear)]
