"""One half of `helm test`: watches the map as a browser does until the row that the other half changes arrives."""

import asyncio
import os
import pathlib
import sys

import websockets

from isotherm_web.client import connect
from isotherm_web.protocol import Delta

location_file, seen_file = pathlib.Path("/exchange/location"), pathlib.Path("/exchange/seen")


async def watch() -> None:
    """Return when the change has arrived."""
    while not location_file.exists():
        await asyncio.sleep(0.2)
    location = int(location_file.read_text(encoding="utf-8"))
    while True:
        try:
            async with connect(os.environ["WEBSOCKET_URL"]) as client:
                while True:
                    message = await client.receive()
                    if isinstance(message, Delta) and location in {client.mirror.ids[cell] for cell in message.cells}:
                        print("browser: location", location, "changed, seq", message.seq)
                        seen_file.touch()
                        return
        except (OSError, websockets.WebSocketException) as error:
            print("browser: not connected:", error)
            await asyncio.sleep(1)


try:
    asyncio.run(asyncio.wait_for(watch(), 240))
except TimeoutError:
    sys.exit("No change arrived: see what the other container says, and the logs of the CDC and of the web server.")
