curl -sS --get "{portal}/api/3/action/datastore_search" \
  --data "resource_id={resource}" --data "limit=5"
# the whole table as a file:
curl -sS "{portal}/datastore/dump/{resource}?format=csv&limit=5"
