"""MongoDB -> browsers: one change stream in, one delta out to every websocket.

The way of a change through the modules:

- `mongo` and `feed` follow the change stream; `events` reads what it delivers
- `assembly` holds back what belongs to a batch until the batch is complete
- `state` is the map: the latest row of each location, and the seq that it stands at
- `coalesce` decides when the next delta leaves
- `protocol` and `encoding` say what goes over the wire; `hub` knows the clients and what each of them still needs
- `websocket`, `http` and `pages` are the doors; `transport`, `app` and `service` put it all together

`client` is the other end of the websocket, for tests and scripts; `mirror` is its pure core.
"""

from importlib.metadata import version

__version__ = version("isotherm-web")
