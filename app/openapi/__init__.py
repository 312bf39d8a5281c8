"""OpenAPI documents: reading, judging, summarising, comparing. Nothing here waits or stores."""
