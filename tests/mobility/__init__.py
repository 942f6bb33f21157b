"""What both agents stand on: associations, replay protection, deadlines."""
