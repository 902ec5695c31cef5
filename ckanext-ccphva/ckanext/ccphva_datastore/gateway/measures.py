"""What the gateway counts; with PROMETHEUS_MULTIPROC_DIR it shows in the portal's `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

requests = Counter(
    "ccphva_live_requests", "Requests of the live gateway, by kind and outcome.", ["kind", "status"]
)
rows = Counter("ccphva_live_rows", "Rows pushed, by outcome.", ["outcome"])
readers = Gauge("ccphva_live_readers", "Readers of event streams.", multiprocess_mode="livesum")
seconds = Histogram(
    "ccphva_live_push_seconds",
    "Time from a push's last byte to its answer.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
