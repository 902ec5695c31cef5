# the newest row of each sensor:
curl -sS "{portal}/live/{feed}/latest"
# each new row as it comes, for five seconds:
curl -sS -N --max-time 5 "{portal}/live/{feed}/events" || true
