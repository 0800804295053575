"""Both vendors' APIs on the wire, each in front of a fake: ASGI applications, in process or on a port.

They need the extra `testing`; without it, an import says so.
"""

from importlib.util import find_spec

for _name in ("starlette", "uvicorn"):
    if find_spec(_name) is None:
        raise ModuleNotFoundError(
            "mkdyn.testing.servers needs the extra testing: pip install 'mkdyn[testing]'", name=_name
        )
