"""Moves a guest live from one machine to another with the client library that QEMU comes with, and prints what the library made of it, as JSON.

usage: migrate.py SOURCE-SOCKET DESTINATION-SOCKET URI, with eng/install-qmp-client's folder as PYTHONPATH
"""

import asyncio
import json
import sys

from qemu.qmp import ExecuteError, ExecInterruptedError, QMPClient, Runstate

CAPABILITIES = {"events": True, "return-path": True, "xbzrle": False}
WATCHED = ("STOP", "RESUME", "MIGRATION", "SHUTDOWN")


async def refusal(client, command, arguments=None, oob=False):
    """The class and the words that a command is refused with."""
    try:
        await client.execute(command, arguments, oob)
    except ExecuteError as error:
        return [error.error_class, str(error)]
    return None


async def prepare(client):
    capabilities = [{"capability": name, "state": state} for name, state in CAPABILITIES.items()]
    assert await client.execute("migrate-set-capabilities", {"capabilities": capabilities}) == {}
    found = {c["capability"]: c["state"] for c in await client.execute("query-migrate-capabilities")}
    return {name: found[name] for name in CAPABILITIES}


async def until(listener, name, **data):
    """Takes events until one that fits; None where there is none within a minute."""
    async def look():
        async for event in listener:
            if event["event"] == name and event.get("data", {}).items() >= data.items():
                return event
    return await asyncio.wait_for(look(), 60)


async def end(client):
    """Quits; the library then tells, when it is asked to disconnect, that the machine did so first."""
    try:
        await client.execute("quit")
    except ExecInterruptedError:
        pass  # It closed the connection before it answered, as it may.
    while client.runstate == Runstate.RUNNING:
        await client.runstate_changed()
    try:
        await client.disconnect()
    except EOFError:
        return "closed"
    return "open"


async def move(source_socket, destination_socket, uri):
    report = {}
    source, destination = QMPClient("source"), QMPClient("destination")
    await source.connect(source_socket)
    await destination.connect(destination_socket)
    report["greeting"] = [sorted(c.greeting.QMP.capabilities) for c in (source, destination)]

    with source.listener(WATCHED) as from_source, destination.listener(WATCHED) as from_destination:
        report["refused"] = [
            await refusal(source, "no-such-command"),
            await refusal(source, "migrate", {"uri": "nowhere"}),
            await refusal(source, "migrate-set-parameters", {"downtime-limit": 99999999}),
            await refusal(source, "migrate-pause", oob=True),
            await refusal(source, "cont", oob=True),
            await refusal(destination, "migrate", {"uri": uri}),
        ]
        report["capabilities"] = [await prepare(source), await prepare(destination)]
        await source.execute("migrate-set-parameters", {"max-bandwidth": 64 << 20, "downtime-limit": 500})
        parameters = await source.execute("query-migrate-parameters")
        report["parameters"] = [parameters["max-bandwidth"], parameters["downtime-limit"]]

        await destination.execute("migrate-incoming", {"uri": uri})
        # Two at once: answers are told apart by their ids.
        statuses = await asyncio.gather(source.execute("query-status"), destination.execute("query-status"), source.execute("query-status"))
        report["before"] = [s["status"] for s in statuses]
        await source.execute("migrate", {"uri": uri})
        await until(from_source, "STOP")
        await until(from_source, "MIGRATION", status="completed")
        await until(from_destination, "RESUME")
        await until(from_destination, "MIGRATION", status="completed")

        migration = await source.execute("query-migrate")
        ram = migration["ram"]
        report["migration"] = [migration["status"], ram["remaining"], ram["transferred"] > 0, ram["dirty-sync-count"] >= 2, migration["downtime"] >= 0]
        report["after"] = [(await c.execute("query-status"))["status"] for c in (source, destination)]
        report["ended"] = await end(source)
        await destination.disconnect()
        report["events"] = [[" ".join([e["event"], e.get("data", {}).get("status", "")]).strip() for e in l.history] for l in (from_source, from_destination)]
    return report


print(json.dumps(asyncio.run(move(*sys.argv[1:]))))
