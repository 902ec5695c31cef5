const query = new URLSearchParams({ q: "{word}", rows: 5 });
const answer = await fetch(`{portal}/api/3/action/ccphva_dataset_search?${query}`);
const { result } = await answer.json();
for (const dataset of result.results) console.log(dataset.name, "–", dataset.title);
