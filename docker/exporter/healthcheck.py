#!/usr/bin/env python3
"""Ends with 0 if the exporter accepts a connection; its metrics are Prometheus' business."""

import socket

socket.create_connection(("127.0.0.1", 9105), timeout=4).close()
