"""From frames to one HTML page."""
