"""API documents of every kind: recognised, judged, read for pages. Nothing here waits or stores."""
