"""Users, organizations, repositories and their secrets, API keys, WebSocket tokens."""
