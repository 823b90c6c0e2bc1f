"""Where events come from: files and portals."""
