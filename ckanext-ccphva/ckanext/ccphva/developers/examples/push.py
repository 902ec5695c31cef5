import json
import urllib.request

rows = [{"{series}": "demo-2", "{time}": "2026-01-01T12:00:00Z"}]
request = urllib.request.Request(
    "{portal}/live/{feed}",
    json.dumps(rows).encode(),
    {"Authorization": "{token}", "Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer))
