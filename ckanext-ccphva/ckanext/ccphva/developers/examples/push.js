const answer = await fetch("{portal}/live/{feed}", {
  method: "POST",
  headers: { Authorization: "{token}", "Content-Type": "application/json" },
  body: JSON.stringify([{ "{series}": "demo-3", "{time}": "2026-01-01T12:00:00Z" }]),
});
console.log(await answer.json());
