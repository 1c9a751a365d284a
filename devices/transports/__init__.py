"""Real sockets and what they may reach."""
