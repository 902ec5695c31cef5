import json
import urllib.request

with urllib.request.urlopen("{portal}/api/3/action/datastore_search?resource_id={resource}&limit=5") as answer:
    result = json.load(answer)["result"]
print(result["total"], "rows of", [field["id"] for field in result["fields"]])
for row in result["records"]:
    print(row)
