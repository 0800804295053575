"""Both vendors' interfaces on the wire, each in front of a fake; they need the extra `testing`."""
