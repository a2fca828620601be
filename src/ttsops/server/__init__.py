"""To whom: HTTP, SSE and WebSocket, keys, errors."""
