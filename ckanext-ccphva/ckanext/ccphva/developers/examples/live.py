import json
import urllib.request

with urllib.request.urlopen("{portal}/live/{feed}/latest") as answer:
    for row in json.load(answer)["records"]:
        print(row)
