curl -sS -X POST "{portal}/live/{feed}" \
  -H "Authorization: {token}" -H "Content-Type: application/x-ndjson" \
  --data-binary '{"{series}": "demo-1", "{time}": "2026-01-01T12:00:00Z"}'
