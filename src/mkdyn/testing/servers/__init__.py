"""Both vendors' APIs on the wire, in front of the fakes: ASGI applications, in process or on a port.

They need the extra `testing`.
"""
