import json
import urllib.parse
import urllib.request

query = urllib.parse.urlencode({"q": "{word}", "rows": 5})
with urllib.request.urlopen("{portal}/api/3/action/ccphva_dataset_search?" + query) as answer:
    found = json.load(answer)["result"]
for dataset in found["results"]:
    print(dataset["name"], "–", dataset["title"])
