"""Who we talk to: the two systems over HTTP, and the memory in a file."""
