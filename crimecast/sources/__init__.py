"""Where events come from: files, portals, and the simulator."""
