const answer = await fetch("{portal}/live/{feed}/latest");
const { records } = await answer.json();
for (const row of records) console.log(row);
