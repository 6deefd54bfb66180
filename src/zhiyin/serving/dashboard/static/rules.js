// Rows that come and go in the form of a scenario. Without it there is one empty row of each kind, after every saving.
const form = document.getElementById("rules");

/** Names the fields of a row anew, so that no two rows of a kind share a number. */
function numbered(row, number) {
  for (const input of row.querySelectorAll("input")) {
    input.name = input.name.replace(/-\d+-/, `-${number}-`);
  }
}

function more(rows) {
  const all = rows.querySelectorAll(".row");
  const made = all[all.length - 1].cloneNode(true);
  for (const input of made.querySelectorAll("input")) input.value = "";
  const used = [...all].map((row) => Number(row.querySelector("input").name.match(/-(\d+)-/)[1]));
  numbered(made, Math.max(...used) + 1);
  all[all.length - 1].after(made);
  made.querySelector("input").focus();
}

function away(row) {
  const rows = row.parentElement;
  if (rows.querySelectorAll(".row").length > 1) row.remove();
  else for (const input of row.querySelectorAll("input")) input.value = "";
  rows.querySelector("input").focus();
  form.dispatchEvent(new Event("again"));
}

form.addEventListener("click", (event) => {
  if (event.target.closest("[data-more]")) more(event.target.closest("[data-rows]"));
  if (event.target.closest("[data-away]")) away(event.target.closest(".row"));
});
for (const button of form.querySelectorAll("[data-more], [data-away]")) button.hidden = false;
if (window.htmx) form.querySelector("[data-plain]").hidden = true; // the preview follows by itself
