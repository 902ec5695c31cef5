const answer = await fetch("{portal}/api/3/action/datastore_search?resource_id={resource}&limit=5");
const { result } = await answer.json();
console.log(`${result.total} rows`);
for (const row of result.records) console.log(row);
