curl -sS --get "{portal}/api/3/action/ccphva_dataset_search" \
  --data-urlencode "q={word}" --data "rows=5"
